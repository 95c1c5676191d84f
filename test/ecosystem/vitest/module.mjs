// The tests that vitest's own worker runs.
import { expect, inject, test } from 'vitest';

test('passes', ({ task }) => {
  task.meta.values = inject('values');
  expect(inject('values')).toEqual(inject('values'));
});
test('fails', () => expect(new Map([['a', 1]])).toEqual(new Map([['a', 2]])));
