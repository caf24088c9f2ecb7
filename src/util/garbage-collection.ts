import { setFlagsFromString } from 'node:v8';

/** A run that moves little takes less memory than this, in bytes. How often the memory is looked at. */
const LARGE = 170e6;
const LOOK_MS = 50;

/** By how many percent heap and buffers may grow beyond what was in use, before the whole heap is collected. */
let growth = 40;

/**
 * Sets V8 up for a program that moves gigabytes through buffers and holds few objects. By itself it marks the whole
 * heap for each 64 MiB of buffers that come and go: half of all CPU time of a backup. A program that moves little ends
 * before it is large: until then, nothing is set that makes it collect more often.
 */
export function tuneGarbageCollector(): void {
  // Objects live long or hardly at all: V8's young generation as it starts (1 MiB) does, and what it would grow to
  // costs 50 MB with a filestore of 70,000 files.
  setFlagsFromString('--semi-space-growth-factor=1');
  // The flags below are those of Node 24: another V8 may not know them, and would complain on standard error.
  if (!isKnown) return;
  collectBuffersEvery(8);
  const looking = setInterval(() => {
    if (process.memoryUsage.rss() < LARGE) return;
    clearInterval(looking);
    staySmall();
  }, LOOK_MS);
  looking.unref();
}

/** Buffers of the young generation are collected for each four times as many MiB of them. Most are garbage by then. */
function collectBuffersEvery(mebibytes: number): void {
  setFlagsFromString(`--scavenger-max-new-space-capacity-mb=${mebibytes}`);
}

/** Whether this is the V8 of Node 24, whose flags are named here. */
const isKnown = process.versions.v8.startsWith('13.6.');

/**
 * The whole heap is collected when heap and buffers together are two fifths larger than what was in use the last time. A
 * first backup of 1 GB in format dual takes 330 MB so; with a fifth, 300 MB and a seventh more of the processor's time;
 * with four fifths, 390 MB.
 */
function staySmall(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString(`--heap-growing-percent=${growth}`);
}

/**
 * For a program that holds a list of millions: two fifths would be a lot. The whole heap is then collected more
 * often, which takes little longer, because the lists are single buffers.
 */
export function collectSooner(): void {
  growth = 12;
  if (!isKnown) return;
  collectBuffersEvery(4);
  staySmall();
}
