import { composeSuite } from '../support/compose-suite.ts';

composeSuite('podman', /podman-compose 1\.3\./);
