import { composeSuite } from '../support/compose-suite.ts';

composeSuite('bookworm', /docker-compose 1\.29\./);
