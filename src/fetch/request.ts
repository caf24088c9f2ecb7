import type { TableName } from '../postgres/table-pieces.ts';

/** What is fetched. */
export type FetchRequest =
  /** The object as it is, whole. */
  | { readonly kind: 'archive' }
  /** One file of the archive, by its name; `.dump` stands for the one whose name ends so. */
  | { readonly kind: 'member'; readonly name: string }
  /** One file of the filestore, by the SHA-1 of its content. */
  | { readonly kind: 'content'; readonly sha1: string }
  /** One attachment, by the id of its `ir.attachment`. */
  | { readonly kind: 'attachment'; readonly id: number }
  /** All attachments of one record. */
  | { readonly kind: 'record'; readonly model: string; readonly id: number }
  /** One table of the dump, as SQL. */
  | { readonly kind: 'table'; readonly table: TableName };

/** Where it goes: a file, a folder for what may be several files, or standard output. */
export type FetchTarget =
  | { readonly kind: 'path'; readonly path: string; readonly replace: boolean }
  | { readonly kind: 'standard output' };

/** What is fetched, in words. */
export function requestWords(request: FetchRequest): string {
  switch (request.kind) {
    case 'archive':
      return 'the whole archive';
    case 'member':
      return request.name === '.dump' ? 'the dump in custom format' : request.name;
    case 'content':
      return `the file with the SHA-1 ${request.sha1}`;
    case 'attachment':
      return `attachment ${request.id}`;
    case 'record':
      return `the attachments of ${request.model}/${request.id}`;
    case 'table':
      return `the table ${tableWords(request.table)}`;
  }
}

/** `res_partner`, or `schema.table` outside of `public`. */
export const tableWords = ({ schema, table }: TableName): string =>
  schema === 'public' ? table : `${schema}.${table}`;
