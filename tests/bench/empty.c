/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Does nothing, with all the libraries of ifsteer: what starting such a program costs.
 */
#include <libconfig.h>
#include <libmnl/libmnl.h>
#include <nftables/libnftables.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	(void)argv;
	/* Never so; but the linker must not leave a library out. */
	if (argc > 1000) {
		config_init(malloc(sizeof(config_t)));
		mnl_socket_close(mnl_socket_open(0));
		nft_ctx_free(nft_ctx_new(NFT_CTX_DEFAULT));
	}
	return 0;
}
