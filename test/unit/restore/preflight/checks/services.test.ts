import { suite } from 'node:test';
import { copy, source, testCases } from '../sample-facts.ts';

suite('a preflight checks the services', () => {
  testCases([
    {
      title: 'a program that neutralizes is missing',
      facts: { ...copy, request: { ...copy.request, neutralize: true } },
      warnings: [/^The host has no program odoo that knows neutralize/],
    },
    {
      title: 'the same, of a version that Odoo’s SaaS has',
      facts: {
        ...copy,
        request: { ...copy.request, neutralize: true },
        source: { ...source, odooVersion: 'saas~16.3' },
      },
      warnings: [/^The host has no program odoo that knows neutralize/],
    },
    {
      title: 'no Odoo of that version has it',
      facts: {
        ...copy,
        request: { ...copy.request, neutralize: true },
        source: { ...source, odooVersion: '15.0' },
      },
    },
    {
      title: 'it is there',
      facts: { ...copy, request: { ...copy.request, neutralize: true }, hasProgram: true },
    },
  ]);
});
