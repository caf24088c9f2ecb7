import { composeSuite } from '../support/compose-suite.ts';

composeSuite('podman-socket', /podman compose 2\.26\./);
