import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { placeOf, schemeOf } from '../../../src/backup/location.ts';

suite('where attachments are kept, for the log', () => {
  for (const [location, place] of [
    ['s3', 's3'],
    ['s3://bucket', 's3://bucket'],
    ['s3://AKIAKEY:topsecret@bucket/folder?token=topsecret#topsecret', 's3://bucket'],
    ['s3://AKIAKEY:top/secret@bucket', 's3'],
    ['azure:DefaultEndpointsProtocol=https;AccountKey=topsecret==', 'azure'],
    ['https://user:topsecret@minio.example.com:9000/bucket', 'https://minio.example.com'],
    [' topsecret', 'unknown'],
    ['', 'unknown'],
  ] as const) {
    test(`${location} is ${place}, without what may be a secret`, () => {
      assert.equal(placeOf(location), place);
      assert.doesNotMatch(schemeOf(location), /topsecret/);
    });
  }
});
