import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { InputError } from '../../../src/util/errors.ts';
import {
  fewestInputs,
  fewestVariables,
  inputsFixture,
  type RawInputs,
  reader,
} from '../../support/inputs.ts';

suite('the inputs of Docker Compose', () => {
  const project = { 'compose-project-directory': '/srv/odoo', 'compose-odoo-service': 'odoo' };
  const settings = { files: [], projectDirectory: '/srv/odoo', odooService: 'odoo', dbService: undefined };

  const taken: [RawInputs, object | null][] = [
    [{}, null],
    [project, settings],
    [
      { ...project, 'compose-db-service': 'db', 'compose-file': 'compose.yaml, prod.yaml' },
      { ...settings, dbService: 'db', files: ['compose.yaml', 'prod.yaml'] },
    ],
    [
      { 'compose-file': '/srv/a.yaml\n/srv/b c.yaml', 'compose-db-service': 'db' },
      {
        files: ['/srv/a.yaml', '/srv/b c.yaml'],
        projectDirectory: undefined,
        odooService: undefined,
        dbService: 'db',
      },
    ],
  ];
  for (const [inputs, expected] of taken) {
    test(`taken: ${JSON.stringify(inputs)}`, () => {
      assert.deepEqual(inputsFixture(inputs).compose, expected);
    });
  }

  const refused: [RawInputs, RegExp][] = [
    [
      { 'compose-project-directory': '/srv/odoo' },
      /^compose-odoo-service: is required, or compose-db-service/,
    ],
    [{ 'compose-odoo-service': 'odoo' }, /^compose-project-directory: is required \(or compose-file\)/],
    [{ ...project, 'compose-project-directory': 'odoo' }, /'odoo' is not an absolute path on the host/],
    [
      { 'compose-file': 'compose.yaml', 'compose-db-service': 'db' },
      /^compose-file: 'compose.yaml' is not an absolute path/,
    ],
    [{ ...project, 'compose-file': '-v' }, /^compose-file: '-v' is not a path/],
    [
      { ...project, 'compose-odoo-service': '--all' },
      /^compose-odoo-service: '--all' is not the name of a service/,
    ],
  ];
  for (const [inputs, message] of refused) {
    test(`refused: ${JSON.stringify(inputs)}`, () => {
      assert.throws(
        () => inputsFixture(inputs),
        (error) => error instanceof InputError && message.test(error.message),
      );
    });
  }

  const rollbacks: [RawInputs, readonly string[]][] = [
    [project, ['odoo']],
    [{ ...project, services: 'queue-worker, nginx' }, ['odoo', 'queue-worker', 'nginx']],
    [{ ...project, services: 'queue-worker odoo' }, ['odoo', 'queue-worker']],
  ];
  for (const [inputs, units] of rollbacks) {
    test(`a rollback with ${JSON.stringify(inputs)} stops ${units}`, () => {
      const parsed = parseInputs(
        reader({ ...fewestInputs, command: 'rollback', ...inputs }),
        fewestVariables,
      );
      assert.deepEqual('services' in parsed && parsed.services, { kind: 'units', units });
    });
  }
});
