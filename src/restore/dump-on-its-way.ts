import type { DumpSource } from '../backup-reader/dump.ts';
import { counting, type Progress } from '../platform/progress.ts';
import { type FetchedDump, fetchDump } from '../postgres/fetched-dump.ts';
import type { Dump } from '../postgres/loadable-dump.ts';
import { Background } from './background.ts';
import { whileServerHasSpace } from './space-watch.ts';
import type { Work } from './work.ts';

/** A dump that is brought onto the host, or its table of contents, while its database is created. */
export interface DumpOnItsWay extends AsyncDisposable {
  begin(signal: AbortSignal): void;
  /** @param progress is told of the bytes, also of those that have come before */
  take(signal: AbortSignal, progress: Pick<Progress, 'add'>): Promise<FetchedDump | undefined>;
}

/** undefined: it is plain SQL. */
export function dumpOnItsWay({ source, findings, target }: Work): DumpOnItsWay | undefined {
  const { loader, ways } = findings;
  const { dump } = source;
  if (dump.kind === 'plain') return undefined;
  let told: Pick<Progress, 'add'> | undefined;
  let untold = 0;
  const counted = {
    add(bytes: number) {
      if (told) told.add(bytes);
      else untold += bytes;
    },
  };
  const { tools } = target.installation;
  // A packed dump is as large as it likes, and may lie on the disk of the database.
  const fetching = new Background((runs) =>
    whileServerHasSpace(findings, runs, (signal) =>
      fetchDump(loader, watched(dump, counted), ways, { tools, signal }),
    ),
  );
  return {
    begin: (signal) => fetching.begin(loader.host, signal),
    take(signal, progress) {
      told = progress;
      progress.add(untold);
      return fetching.take(signal);
    },
    [Symbol.asyncDispose]: () => fetching[Symbol.asyncDispose](),
  };
}

/** The same dump, whose bytes are counted as they pass. */
export function watched<D extends DumpSource>(
  dump: D,
  progress: Pick<Progress, 'add'>,
): Extract<Dump, { readonly kind: D['kind'] }>;
export function watched(dump: DumpSource, progress: Pick<Progress, 'add'>): Dump {
  const watch = (bytes: AsyncIterable<Buffer>) => counting(bytes, progress, ({ length }) => length);
  switch (dump.kind) {
    case 'plain':
      return { ...dump, open: (passage) => watch(dump.open(passage)) };
    case 'custom':
      return { ...dump, open: () => watch(dump.open()) };
    case 'directory':
      return { ...dump, readFiles: () => counting(dump.readFiles(), progress, ({ size }) => size) };
  }
}
