import { join } from 'node:path';

/** The variable with the folder of the bundle that the tests run. */
export const PROGRAM_FOLDER = 'ODOO_BACKUP_TEST_PROGRAM';

const folder = process.env[PROGRAM_FOLDER];
const source = join(import.meta.dirname, '../../src/main.ts');

/** What is started: the bundle that this run of the tests has made, or, where a file is run by itself, the source. */
export const program = folder === undefined ? source : join(folder, 'main.js');

/** The same as a module, which exports `main` and `start`. */
export const programModule = folder === undefined ? source : join(folder, 'program/main.mjs');
