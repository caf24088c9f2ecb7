import { composeSuite } from '../support/compose-suite.ts';

composeSuite('trixie', /docker compose 2\.26\./);
