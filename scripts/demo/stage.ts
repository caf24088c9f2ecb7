import type { S3Client } from '@aws-sdk/client-s3';
import type { Odoo } from '../../test/support/odoo.ts';
import type { OdooServer } from '../../test/support/odoo-server.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';
import type { Look } from './looks.ts';

/** Where the demo plays. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly odoo: Odoo;
  /** Stands in for Odoo's own program. */
  readonly server: OdooServer;
  /** The git checkout that Odoo’s addons are in. */
  readonly addons: string;
  /** URL of its pages. */
  readonly url: string;
  readonly s3: S3Client;
  /** Empty at first. */
  readonly bucket: string;
  /** What the host was like at each moment worth comparing. */
  readonly looks: Look[];
}

/** A step fails by throwing, which ends the demo. */
export interface Step {
  readonly title: string;
  readonly run: (stage: Stage) => Promise<void>;
}
