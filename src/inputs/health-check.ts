import type { HealthOptions } from '../restore/options.ts';
import { parseDurationMs, Refusal } from './fields.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
const LIMITS_MS = [1000, 3_600_000] as const;

/**
 * Reads `[odoo | URL [from host|runner]] [within DURATION]`: `https://odoo.example.com/web/health from runner within
 * 90s`.
 */
export function healthCheck(value: string): HealthOptions {
  const form = /^(?:(odoo)|(\S+?)(?:\s+from\s+(host|runner))?)(?:\s+within\s+(\S+))?$/.exec(value.trim());
  if (!form) {
    throw new Refusal(
      `'${value}' is not of the form 'URL from host within 2m' (or 'from runner'; 'odoo within 2m' asks Odoo's own port)`,
    );
  }
  const [, odoo, url, from = 'host', within] = form;
  return {
    url: odoo === undefined ? httpUrl(url ?? '') : undefined,
    from: from === 'runner' ? 'runner' : 'host',
    timeoutMs: within === undefined ? DEFAULT_TIMEOUT_MS : parseDurationMs(within, ...LIMITS_MS),
  };
}

function httpUrl(value: string): string {
  const url = URL.parse(value);
  if (url && /^https?:$/.test(url.protocol)) return value;
  throw new Refusal(`'${value}' is not an http or https URL`);
}
