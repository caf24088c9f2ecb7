import { rehearsalSuite } from '../support/rehearsal-suite.ts';

rehearsalSuite(19);
