import { formatCounted } from '../../util/format.ts';
import type { Site } from '../site.ts';
import { type History, historyOf } from './checkouts.ts';
import { type Checkout, type RunningCode, type ServiceImage, shortCommit, shortImage } from './code.ts';

/** What differs between the code that a backup was made with, and the code that is there now. */
export interface CodeComparison {
  readonly before: RunningCode;
  readonly now: RunningCode;
  /** One difference each, in words; empty: it is the same code. */
  readonly differences: readonly string[];
  /** What of `before` the host does not have: commits that their checkout does not know, and images. In words. */
  readonly unknownHere: readonly string[];
}

/** Compares the two, and asks the host what it knows of `before`. Read only. */
export async function compareCode(
  site: Pick<Site, 'host' | 'accounts' | 'hasImage'>,
  before: RunningCode,
  now: RunningCode,
): Promise<CodeComparison> {
  const unknownHere: string[] = [];
  const differences: string[] = [];
  for (const [old, after] of pairs(before.checkouts, now.checkouts, ({ path }) => path)) {
    if (!old || !after) differences.push(onlyOne(old, after));
    else if (old.commit === after.commit) differences.push(...changedFiles(old, after));
    else {
      const history = await historyOf(site.host, site.accounts, after, old.commit);
      if (!history) unknownHere.push(`the commit ${shortCommit(old.commit)} of ${after.path}`);
      differences.push(otherCommit(old, after, history));
    }
  }
  for (const [old, after] of pairs(before.images, now.images, ({ service }) => service)) {
    if (old?.id !== after?.id) differences.push(otherImage(old, after));
    if (old && after && !isSame(old, after) && !(await site.hasImage(old))) unknownHere.push(named(old));
  }
  const packages = pairs(Object.entries(before.packages), Object.entries(now.packages), ([name]) => name);
  for (const [old, after] of packages) {
    if (old?.[1] !== after?.[1]) differences.push(otherPackage(old, after));
  }
  return { before, now, differences, unknownHere };
}

type Counterparts<T> = readonly [before: T | undefined, after: T | undefined];

/** What has the same name then and now, then what has no counterpart. */
function pairs<T>(then: readonly T[], now: readonly T[], name: (item: T) => string): Counterparts<T>[] {
  const before = new Map(then.map((item) => [name(item), item]));
  const after = new Map(now.map((item) => [name(item), item]));
  return [...new Set([...after.keys(), ...before.keys()])].map((key) => [before.get(key), after.get(key)]);
}

const onlyOne = (before: Checkout | undefined, after: Checkout | undefined): string =>
  after
    ? `${after.path} at ${shortCommit(after.commit)} was not part of the code then`
    : `${before?.path} at ${shortCommit(before?.commit ?? '')} was part of the code then, and is not now`;

/** A commit says nothing of what somebody has changed in the files since. */
function changedFiles(before: Checkout, after: Checkout): string[] {
  if (!before.dirty && !after.dirty) return [];
  const whose = before.dirty && after.dirty ? 'then and now' : before.dirty ? 'then' : 'now';
  return [
    `${after.path} is at ${shortCommit(after.commit)} as then, with files that differ from it ${whose}`,
  ];
}

function otherCommit(before: Checkout, after: Checkout, history: History | undefined): string {
  const on = after.branch === undefined ? '' : ` (${after.branch})`;
  const dirty = [...(before.dirty ? ['then'] : []), ...(after.dirty ? ['now'] : [])].join(' and ');
  return [
    `${after.path} is at ${shortCommit(after.commit)}${on}, the backup was made with ${shortCommit(before.commit)}`,
    history ? `: ${distance(history)}` : ', which is not known there',
    dirty === '' ? '' : `; with files that differ from the commit ${dirty}`,
  ].join('');
}

function distance({ onlyThen, onlyNow }: History): string {
  if (onlyThen === 0) return `${formatCounted(onlyNow, 'commit')} before`;
  if (onlyNow === 0) return `${formatCounted(onlyThen, 'commit')} after`;
  return `${formatCounted(onlyThen, 'commit')} that are not part of it now, and without ${onlyNow} that are`;
}

/** Whether it is the same image under the same names. */
const isSame = (a: ServiceImage, b: ServiceImage): boolean =>
  a.id === b.id && a.image === b.image && a.digest === b.digest;

/** All that a command is told of it: the host may have an image of this id, and not by this name. */
const named = ({ service, image, id, digest }: ServiceImage): string =>
  `the image ${[shortImage(id), image, ...(digest === undefined ? [] : [digest])].join(', ')} of the service ${service}`;

function otherImage(before: ServiceImage | undefined, after: ServiceImage | undefined): string {
  const named = ({ image, id }: ServiceImage) => `${image} (${shortImage(id)})`;
  if (!before || !after) {
    const there = before ?? after;
    return `the service ${there?.service} was ${before ? '' : 'not '}there then${before ? ', and is not now' : ''}`;
  }
  return `the service ${after.service} runs ${named(after)}, the backup was made with ${named(before)}`;
}

function otherPackage(
  before: readonly [string, string] | undefined,
  after: readonly [string, string] | undefined,
): string {
  if (!after) return `the package ${before?.[0]} ${before?.[1]} was installed then, and is not now`;
  if (!before) return `the package ${after[0]} ${after[1]} was not installed then`;
  return `${after[0]} ${after[1]} is installed, the backup was made with ${before[1]}`;
}
