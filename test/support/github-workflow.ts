import type { Values } from './github-expressions.ts';

export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Values;
  readonly env?: Values;
}

export interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly env?: Values;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  /** A matrix, only in the form that an expression makes, with `include`. */
  readonly strategy?: { readonly matrix: string };
  readonly steps?: readonly Step[];
  /** Another workflow of ours, which is the whole job. */
  readonly uses?: string;
  readonly with?: Values;
  readonly secrets?: 'inherit' | Values;
}

export interface CallInput {
  readonly type: 'string' | 'boolean' | 'number';
  readonly default?: unknown;
  readonly required?: boolean;
}

export interface Workflow {
  readonly on: {
    readonly workflow_call?: {
      readonly inputs?: Readonly<Record<string, CallInput>>;
      readonly outputs?: Readonly<Record<string, { readonly value: string }>>;
    };
  };
  readonly env?: Values;
  readonly jobs: Readonly<Record<string, Job>>;
}
