import { buffer } from 'node:stream/consumers';
import { ZipArchive } from 'archiver';

/** A zip of a few texts, in memory. For more than that there is `ArchiveWriter`. */
export async function smallZip(files: ReadonlyMap<string, string>): Promise<Buffer> {
  const zip = new ZipArchive({ zlib: { level: 6 } });
  const failed = Promise.withResolvers<never>();
  zip.on('error', failed.reject);
  const written = buffer(zip);
  for (const [name, text] of files) zip.append(text, { name });
  zip.finalize().catch(failed.reject);
  return Promise.race([written, failed.promise]);
}
