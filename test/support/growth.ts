import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Odoo } from './odoo.ts';
import { psql } from './postgres.ts';
import { run } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

export interface Growth {
  readonly attachments?: readonly AttachmentKind[];
  /** How many rows are added to res_partner: about 1 KB each, indexes included. */
  readonly partners?: number;
}

export interface AttachmentKind {
  readonly count: number;
  /** In bytes. */
  readonly size: number;
  /** `photo` does not compress, `report` does (about 5:1). */
  readonly kind: 'photo' | 'report';
}

const mimetypes = { photo: 'image/jpeg', report: 'text/csv' };
const chunkSize = 4 * 2 ** 20;

/** Adds attachments (rows and files, named by their real SHA-1) and partners to an Odoo of the sandbox. */
export async function grow(
  sandbox: Sandbox,
  odoo: Odoo,
  { attachments = [], partners = 0 }: Growth,
): Promise<void> {
  const { postgres, account } = sandbox;
  const rows: string[] = [];
  for (const { count, size, kind } of attachments) {
    for (let number = 1; number <= count; number += 1) {
      const sha1 = writeAttachment(odoo.filestore, size, kind);
      const recorded = Math.min(size, 2 ** 31 - 1); // the column is an integer
      rows.push(
        `${kind}-${number}\tbinary\t${sha1.slice(0, 2)}/${sha1}\t${sha1}\t${recorded}\t${mimetypes[kind]}\n`,
      );
    }
  }
  if (rows.length > 0) {
    const columns = 'name, type, store_fname, checksum, file_size, mimetype';
    await run(['chown', '-R', `${account.uid}:${account.gid}`, odoo.filestore]);
    await psql(
      postgres,
      odoo.database,
      `COPY ir_attachment (${columns}) FROM STDIN;\n${rows.join('')}\\.\n`,
      'odoo',
    );
  }
  if (partners > 0) await psql(postgres, odoo.database, insertPartners(partners), 'odoo');
}

/** Writes one file into the filestore and returns its SHA-1. Synchronous calls: 70,000 files in seconds. */
function writeAttachment(filestore: string, size: number, kind: AttachmentKind['kind']): string {
  const sha1 = createHash('sha1');
  const temporary = join(filestore, 'growing');
  const file = openSync(temporary, 'w', 0o644);
  for (let written = 0; written < size; written += chunkSize) {
    const chunk = content[kind](Math.min(chunkSize, size - written));
    sha1.update(chunk);
    writeSync(file, chunk);
  }
  closeSync(file);
  const name = sha1.digest('hex');
  mkdirSync(join(filestore, name.slice(0, 2)), { recursive: true });
  renameSync(temporary, join(filestore, name.slice(0, 2), name));
  return name;
}

const content = {
  photo: (length: number) => randomFillSync(Buffer.allocUnsafe(length)),
  report(length: number) {
    const text = Buffer.alloc(length, reportLines());
    randomFillSync(text, 0, Math.min(16, length)); // no two alike
    return text;
  },
};

/** More than deflate's window of 32 KiB: a repeated shorter text would compress like nothing real does. */
function reportLines(): string {
  const line = (_: unknown, day: number) =>
    `2026-${1 + (day % 12)}-${1 + (day % 28)};INV/${randomDigits(6)};Desk Combination;${randomDigits(2)};${randomDigits(4)}.00 EUR\n`;
  return Array.from({ length: 1000 }, line).join('');
}

function randomDigits(count: number): string {
  return String(Math.floor(Math.random() * 10 ** count)).padStart(count, '0');
}

function insertPartners(count: number): string {
  const words =
    'delivery invoice customer supplier contract street order payment reminder discount warehouse meeting call quality return offer price partner project support agreement monthly yearly transport pallet steel wood garden office chair table lamp';
  return `
    WITH vocabulary AS (SELECT string_to_array('${words}', ' ') AS word)
    INSERT INTO res_partner (name, display_name, email, phone, street, city, zip, comment, active, type, is_company, create_date)
    SELECT 'Customer ' || number, 'Customer ' || number, 'customer' || number || '@example.com',
           '+32 ' || number % 1000000, word[1 + number % 33] || ' street ' || number % 300, 'City ' || number % 500,
           (1000 + number % 9000)::text, remark, true, 'contact', number % 5 = 0, now()
    FROM vocabulary, generate_series(1, ${count}) AS number, LATERAL (
      SELECT string_agg(word[1 + abs(hashint4(number * 128 + position)) % 33], ' ') AS remark
      FROM generate_series(1, 120) AS position
    ) AS text`;
}
