import type { S3Client } from '@aws-sdk/client-s3';
import type { Odoo } from '../../test/support/odoo.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';

/** Where the demo plays. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly odoo: Odoo;
  readonly s3: S3Client;
  /** Empty at first. */
  readonly bucket: string;
}

/** A step fails by throwing, which ends the demo. */
export interface Step {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<void>;
}
