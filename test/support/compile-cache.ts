import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

/** For NODE_COMPILE_CACHE of the program's starts: half of what one costs is compiling the program. */
export const compileCache =
  process.env.NODE_COMPILE_CACHE ?? join(import.meta.dirname, '../../node_modules/.cache/compile');

// And for what this process loads from here on.
enableCompileCache(compileCache);
