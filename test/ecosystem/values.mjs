// Values that JSON does not have, to go through a C++ program and back.
export const values = () => ({
  date: new Date(Date.UTC(2026, 10, 30, 1, 2, 3, 456)),
  map: new Map([['key', new Map([[1, { in: 'a Map in a Map' }]])], [{}, 'an object is the key']]),
  set: new Set([1, 'two', null]),
  bigints: [2n ** 53n, -(2n ** 200n)],
  undefined,
  error: new TypeError('an error', { cause: new Error('its cause') }),
  regexp: /a+\/b/giu,
  bytes: new Uint8Array([0, 128, 255]),
  numbers: [-0, NaN, -Infinity, 0.1],
  text: 'Grüße 你好 😀',
});
