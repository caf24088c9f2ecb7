import type { RestoreSource } from '../../backup-reader/open.ts';
import type { Request } from '../request.ts';
import type { Target } from '../target.ts';
import { adminActions } from './admin-actions.ts';
import { withoutObjects } from './checks/dump.ts';
import type { Findings } from './findings.ts';
import { gatherFacts } from './gather.ts';
import { judge } from './judge.ts';

/** Runs every check, changes nothing, and stops at no problem: a person should see all of them at once. */
export async function preflight(source: RestoreSource, target: Target, request: Request): Promise<Findings> {
  const facts = await gatherFacts(source, target, request);
  return {
    ...facts.space,
    ...judge(facts),
    owner: facts.owner,
    traits: facts.traits,
    extensions: facts.extensions,
    keepOwnership: request.inPlace,
    ways: facts.ways,
    withoutObjects: withoutObjects(facts),
    slots: facts.slots,
    loader: facts.loader,
    given: facts.given,
    adminActions: adminActions(facts),
    difference: facts.difference,
    neighbour: facts.neighbour,
    sessions: facts.sessions,
    databaseBytes: facts.databaseBytes,
    stops: facts.stops,
    running: facts.services.running,
    answer: facts.answer,
    program: facts.program,
    losses: facts.losses,
    code: facts.code,
    givenSince: facts.givenSince,
  };
}
