/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Packets a second, of several hosts in turn: short bursts, so that whatever else the machine does
 * disturbs all of them alike. All on one processor, up to the drop at the far end: what is measured
 * is a packet's whole way through a host.
 *
 * traffic [-n] [-u] [-s] [-r ROUNDS] [-b BURST] DIR LANE…
 * A LANE is NAME=FROM,TO,HOST,ADDRESS[+ADDRESS]…
 *
 * In each round each lane sends BURST small UDP packets from the namespace FROM to its addresses in
 * turn, which stand in the namespace TO, and appends to DIR/NAME how many a second that were. The
 * flows are answered once before, so that conntrack in HOST knows them as established; with -u they
 * aren't, and with -s every packet is sent by a socket that is not connected: a look-up for each.
 *
 * With -n every packet is the SYN of a new connection to HOST itself, which refuses it: a packet
 * in, a packet out. Its connections are forgotten after each burst.
 *
 * TO drops by length, at its ingress, what belongs to a burst (UDP of 26 bytes), FROM the resets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS 16 /* of a lane, in turn */
#define BATCH 32 /* packets of a system call */
#define PAYLOAD 18 /* the smallest packet of Ethernet */
#define PORT 7000 /* where flows go; to PORT + 1 goes what nobody listens to */
#define MAX_LANES 8
#define MAX_ADDRESSES 16

struct lane {
	const char *name, *from, *to, *host;
	struct sockaddr_in address[MAX_ADDRESSES];
	int addresses;
	int flow[FLOWS];
	int forget; /* ctnetlink's socket in HOST */
	double *rate; /* by round */
};

struct options {
	bool fresh, unanswered, unconnected;
	int rounds, burst;
};

static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A socket belongs to the namespace in which it was made. */
static int socket_in(const char *ns, int family, int type, int protocol)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		die("socket");
	return fd;
}

static void lane_parse(struct lane *l, char *text)
{
	char *address;

	l->name = strsep(&text, "=");
	l->from = strsep(&text, ",");
	l->to = strsep(&text, ",");
	l->host = strsep(&text, ",");
	while ((address = strsep(&text, "+")) && l->addresses < MAX_ADDRESSES) {
		struct sockaddr_in *to = &l->address[l->addresses++];

		to->sin_family = AF_INET;
		to->sin_port = htons(PORT);
		if (inet_pton(AF_INET, address, &to->sin_addr) != 1)
			die(address);
	}
	if (!l->addresses)
		die("a lane without address");
}

/* ---- flows ---- */

/* The far end knows nothing of routes: it answers where it was asked, once. */
static void answer(const struct lane *l, int flow, const struct sockaddr_in *to)
{
	int far = socket_in(l->to, AF_INET, SOCK_DGRAM, 0), one = 1;
	struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_in asker;
	socklen_t len = sizeof(asker);
	char c = 0;

	setsockopt(far, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(far, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(flow, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(far, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("bind");
	if (send(flow, "?", 1, 0) != 1 ||
	    recvfrom(far, &c, 1, 0, (struct sockaddr *)&asker, &len) != 1 ||
	    sendto(far, "!", 1, 0, (struct sockaddr *)&asker, len) != 1 ||
	    recv(flow, &c, 1, 0) != 1)
		die(l->name);
	close(far);
}

static void open_flows(struct lane *l, const struct options *o)
{
	for (int i = 0; i < FLOWS; i++) {
		const struct sockaddr_in *to = &l->address[i % l->addresses];

		l->flow[i] = socket_in(l->from, AF_INET, SOCK_DGRAM, 0);
		if (o->unconnected)
			continue;
		if (connect(l->flow[i], (const struct sockaddr *)to, sizeof(*to)) < 0)
			die("connect");
		if (!o->unanswered)
			answer(l, l->flow[i], to);
	}
}

static void burst_of_flows(struct lane *l, const struct options *o)
{
	static char payload[PAYLOAD];
	struct iovec io = { payload, sizeof(payload) };

	for (int sent = 0, i = 0; sent < o->burst; sent += BATCH, i = (i + 1) % FLOWS) {
		struct mmsghdr batch[BATCH];

		for (int k = 0; k < BATCH; k++) {
			batch[k] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &io,
								  .msg_iovlen = 1 } };
			if (o->unconnected) {
				batch[k].msg_hdr.msg_name = &l->address[i % l->addresses];
				batch[k].msg_hdr.msg_namelen = sizeof(l->address[0]);
			}
		}
		if (sendmmsg(l->flow[i], batch, BATCH, 0) != BATCH)
			die(l->name);
	}
}

/* ---- new connections ---- */

struct syn {
	struct iphdr ip;
	struct tcphdr tcp;
};

static uint16_t checksum(const void *data, size_t len, uint32_t sum)
{
	for (const uint8_t *at = data; len > 1; at += 2, len -= 2)
		sum += (uint32_t)(at[0] << 8 | at[1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The kernel fills in the source; it is found here once, for the checksum. */
static in_addr_t source_towards(const struct lane *l, const struct sockaddr_in *to)
{
	int fd = socket_in(l->from, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in mine;
	socklen_t len = sizeof(mine);

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&mine, &len) < 0)
		die(l->name);
	close(fd);
	return mine.sin_addr.s_addr;
}

static struct syn *make_syns(const struct lane *l, int count)
{
	struct syn *v = calloc((size_t)count, sizeof(*v));
	in_addr_t source[MAX_ADDRESSES];

	for (int i = 0; i < l->addresses; i++)
		source[i] = source_towards(l, &l->address[i]);
	for (int i = 0; v && i < count; i++) {
		const struct {
			in_addr_t from, to;
			uint16_t protocol, len;
		} pseudo = {
			source[i % l->addresses],
			l->address[i % l->addresses].sin_addr.s_addr,
			htons(IPPROTO_TCP),
			htons(sizeof(struct tcphdr)),
		};

		v[i].ip = (struct iphdr){ .version = 4,
					  .ihl = 5,
					  .tot_len = htons(sizeof(*v)),
					  .ttl = 64,
					  .protocol = IPPROTO_TCP,
					  .saddr = pseudo.from,
					  .daddr = pseudo.to };
		v[i].tcp = (struct tcphdr){ .source = htons((uint16_t)(1024 + i)),
					    .dest = htons(PORT + 1),
					    .doff = 5,
					    .syn = 1,
					    .window = htons(1024) };
		v[i].tcp.check = checksum(&v[i].tcp, sizeof(v[i].tcp),
					  (uint16_t)~ntohs(checksum(&pseudo, sizeof(pseudo), 0)));
	}
	return v;
}

static void burst_of_syns(struct lane *l, const struct options *o, struct syn *syns)
{
	for (int sent = 0; sent < o->burst; sent += BATCH) {
		struct mmsghdr batch[BATCH];
		struct iovec io[BATCH];

		for (int k = 0; k < BATCH; k++) {
			io[k] = (struct iovec){ &syns[sent + k], sizeof(*syns) };
			batch[k] = (struct mmsghdr){
				.msg_hdr = { .msg_name = &l->address[(sent + k) % l->addresses],
					     .msg_namelen = sizeof(l->address[0]),
					     .msg_iov = &io[k],
					     .msg_iovlen = 1 }
			};
		}
		if (sendmmsg(l->flow[0], batch, BATCH, 0) != BATCH)
			die(l->name);
	}
}

static void forget_connections(const struct lane *l)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg family;
	} all = {
		{ .nlmsg_len = sizeof(all),
		  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		  .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE },
		{ .nfgen_family = AF_UNSPEC },
	};
	char said[512];

	if (send(l->forget, &all, sizeof(all), 0) < 0 || recv(l->forget, said, sizeof(said), 0) < 0)
		die("conntrack");
}

/* ---- rounds ---- */

static void run_lane(struct lane *l, const struct options *o, int round, struct syn *syns)
{
	const struct timespec breath = { .tv_nsec = 500000 };
	long long start;

	nanosleep(&breath, NULL);
	start = now_ns();
	if (syns)
		burst_of_syns(l, o, syns);
	else
		burst_of_flows(l, o);
	l->rate[round] = o->burst * 1e9 / (double)(now_ns() - start);
	if (syns)
		forget_connections(l);
}

static void write_rates(const char *dir, const struct lane *l, int rounds)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, l->name);
	out = fopen(path, "a");
	if (!out)
		die(path);
	for (int i = 0; i < rounds; i++)
		fprintf(out, "%.0f\n", l->rate[i]);
	if (fclose(out))
		die(path);
}

/* One processor, and ahead of everybody on it: what interrupts a burst would be measured. */
static void settle_down(void)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned int)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_FIFO, &first))
		die("scheduler");
}

static void lane_open(struct lane *l, const struct options *o)
{
	l->rate = calloc((size_t)o->rounds, sizeof(*l->rate));
	if (!l->rate)
		die(l->name);
	if (!o->fresh) {
		open_flows(l, o);
		return;
	}
	l->flow[0] = socket_in(l->from, AF_INET, SOCK_RAW, IPPROTO_RAW);
	l->forget = socket_in(l->host, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

int main(int argc, char **argv)
{
	static struct lane lanes[MAX_LANES];
	struct options o = { .rounds = 100, .burst = 2048 };
	struct syn *syns[MAX_LANES] = { 0 };
	const char *dir;
	int count, c;

	while ((c = getopt(argc, argv, "nusr:b:")) != -1) {
		o.fresh |= c == 'n';
		o.unanswered |= c == 'u';
		o.unconnected |= c == 's';
		o.rounds = c == 'r' ? atoi(optarg) : o.rounds;
		o.burst = c == 'b' ? atoi(optarg) / BATCH * BATCH : o.burst;
	}
	count = argc - optind - 1;
	if (count < 1 || count > MAX_LANES || o.rounds < 1 || o.burst < BATCH || o.burst > 60000) {
		fprintf(stderr, "usage: traffic [-n] [-u] [-s] [-r ROUNDS] [-b BURST] DIR "
				"NAME=FROM,TO,HOST,ADDRESS...\n");
		return 2;
	}
	dir = argv[optind];
	for (int i = 0; i < count; i++) {
		lane_parse(&lanes[i], argv[optind + 1 + i]);
		lane_open(&lanes[i], &o);
		if (o.fresh)
			syns[i] = make_syns(&lanes[i], o.burst);
	}
	settle_down();
	for (int round = 0; round < o.rounds; round++)
		for (int i = 0; i < count; i++) {
			int turn = (i + round) % count;

			run_lane(&lanes[turn], &o, round, syns[turn]);
		}
	for (int i = 0; i < count; i++)
		write_rates(dir, &lanes[i], o.rounds);
	return 0;
}
