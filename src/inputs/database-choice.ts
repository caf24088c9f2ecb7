import { Refusal } from './fields.ts';
import { databaseName } from './installation.ts';

/** Which databases of a host are meant. */
export type DatabaseChoice =
  /** undefined: the one of odoo.conf. */
  | { readonly kind: 'one'; readonly database: string | undefined }
  | { readonly kind: 'several'; readonly databases: readonly string[] }
  /** Those databases that Odoo offers and the pattern matches. */
  | { readonly kind: 'matching'; readonly pattern: RegExp };

/** `shop`, `shop, blog`, `all` or `/^shop_/`. */
export function databaseChoice(value: string): DatabaseChoice {
  if (value === 'all') return { kind: 'matching', pattern: /^/ };
  if (/^\/.*\/$/.test(value)) return { kind: 'matching', pattern: patternOf(value.slice(1, -1)) };
  const names = value.split(/[\s,]+/).filter(Boolean);
  const databases = [...new Set(names.map(databaseName))];
  const [first, ...others] = databases;
  return others.length === 0 ? { kind: 'one', database: first } : { kind: 'several', databases };
}

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new Refusal(`'/${source}/' is not a regular expression of JavaScript`);
  }
}
