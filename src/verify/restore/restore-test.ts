import type { GivenServer } from './servers/given.ts';
import type { OdooHost } from './servers/odoo-host.ts';

/** Where dumps are restored for a test, as the input `restore-test` has it. */
export type RestoreTest =
  /** A server that is started for it. */
  | { readonly kind: 'runner' }
  /** A scratch database beside the one of Odoo. */
  | ({ readonly kind: 'host' } & OdooHost)
  /** A scratch database on a server that is given, such as a service container. */
  | ({ readonly kind: 'server' } & GivenServer);

/** `on the runner` */
export function placeName(test: RestoreTest): string {
  switch (test.kind) {
    case 'runner':
      return 'on the runner';
    case 'host':
      return `on ${test.ssh.host}`;
    case 'server':
      return `on ${test.settings.host}`;
  }
}
