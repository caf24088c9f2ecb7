import type { S3Server } from './s3.ts';
import { type S3Proxy, type S3Rule, startS3Proxy } from './s3-proxy.ts';

/**
 * Listings show every object as stored when its key says. Nobody can store in the past, and tests cannot wait for
 * years.
 */
export const storedWhenDated: S3Rule = {
  when: ({ query }) => query.has('list-type'),
  fault: {
    kind: 'map-body',
    map: (xml) =>
      xml.replaceAll(/<Contents>.*?<\/Contents>/gs, (object) => {
        const [, day, time] =
          /<Key>[^<]*_(\d{4}-\d\d-\d\d)_(\d\d-\d\d-\d\d)\.[^<]*<\/Key>/.exec(object) ?? [];
        if (!day || !time) return object;
        const stored = `${day}T${time.replaceAll('-', ':')}.000Z`;
        return object.replace(/(<LastModified>)[^<]*/, `$1${stored}`);
      }),
  },
};

/** A server whose objects are as old as their keys say. */
export const startAgedS3 = (server: S3Server): Promise<S3Proxy> => startS3Proxy(server, [storedWhenDated]);
