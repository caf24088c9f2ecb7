import { type Level, levels } from '../storage/proofs.ts';
import { type Fields, oneOf } from './fields.ts';

/** How far a backup is to be proven, and what that takes. */
export interface ProofInputs {
  readonly level: Level;
}

/** @param otherwise what is meant where the input `verify` is not given */
export function parseProof(fields: Fields, otherwise: Level): ProofInputs | undefined {
  const level = fields.given('verify') ? fields.optional('verify', oneOf(levels)) : otherwise;
  if (level === 'restore') fields.problem('verify: restore is not there yet: contents is as far as it goes');
  return level && { level };
}
