/* wanlink ADDRESS PEER ONE_WAY_MS MBIT: a long line between this network namespace and a new one.
 *
 * Two TUN devices, one in each namespace, joined in user space by a rate limiter, a queue and a delay: the TCP on
 * both sides is the kernel's own. (Kernels of small virtual machines often lack netem.) The new namespace is this
 * process's: `nsenter --net=/proc/PID/ns/net`. All of it is gone when the process ends and nobody is in there.
 * Needs root and ip(8). Prints a line when both ends are up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "bench-wan"
#define MTU 1500
#define FRAMING 38               /* what Ethernet adds to a packet on the line, in bytes */
#define QUEUE (4 * 1024 * 1024)  /* bytes that wait for the line before it drops some, as in a router */
#define SLOTS 16384              /* packets under way: power of two */

typedef long long nanoseconds;

struct packet {
  nanoseconds due;
  int length;
  unsigned char bytes[MTU + 4];
};

struct direction {
  int from, to;
  nanoseconds delay;
  double per_byte;
  struct packet *ring;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static nanoseconds now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int open_end(const char *address) {
  int end = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (end < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, DEVICE);
  if (ioctl(end, TUNSETIFF, &request)) fail("TUNSETIFF");
  char command[256];
  snprintf(command, sizeof command,
           "ip addr add %s/30 dev " DEVICE " && ip link set " DEVICE " mtu %d txqueuelen 1000 up && ip link set lo up",
           address, MTU);
  if (system(command)) exit(1);
  return end;
}

/* One direction. A packet leaves when the line has carried those before it, and arrives `delay` later. */
static void *carry(void *argument) {
  struct direction *way = argument;
  unsigned first = 0, next = 0;
  nanoseconds line_free = 0;
  struct pollfd input = {way->from, POLLIN, 0};
  prctl(PR_SET_TIMERSLACK, 1000);
  for (;;) {
    for (; first != next && way->ring[first % SLOTS].due <= now(); first++) {
      struct packet *packet = &way->ring[first % SLOTS];
      if (write(way->to, packet->bytes, packet->length) < 0) continue; /* dropped, as on any line */
    }
    struct timespec wait, *until_due = NULL;
    if (first != next) {
      nanoseconds left = way->ring[first % SLOTS].due - now();
      if (left < 0) left = 0;
      wait = (struct timespec){left / 1000000000LL, left % 1000000000LL};
      until_due = &wait;
    }
    if (ppoll(&input, 1, until_due, NULL) <= 0) continue;
    for (int burst = 0; burst < 64 && next - first < SLOTS; burst++) {
      struct packet *packet = &way->ring[next % SLOTS];
      int length = read(way->from, packet->bytes, sizeof packet->bytes);
      if (length <= 0) break;
      nanoseconds time = now();
      if (line_free < time) line_free = time;
      if ((line_free - time) / way->per_byte + length > QUEUE) continue;
      line_free += (length + FRAMING) * way->per_byte;
      packet->length = length;
      packet->due = line_free + way->delay;
      next++;
    }
  }
}

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: wanlink ADDRESS PEER ONE_WAY_MS MBIT\n");
    return 2;
  }
  int here = open_end(arguments[1]);
  if (unshare(CLONE_NEWNET)) fail("unshare");
  int there = open_end(arguments[2]);
  nanoseconds delay = atof(arguments[3]) * 1e6;
  double per_byte = 8000 / atof(arguments[4]);
  struct direction out = {here, there, delay, per_byte, calloc(SLOTS, sizeof(struct packet))};
  struct direction back = {there, here, delay, per_byte, calloc(SLOTS, sizeof(struct packet))};
  puts("up");
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, carry, &back)) fail("pthread_create");
  carry(&out);
}
