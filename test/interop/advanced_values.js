// Values that JSON has no word for, to go through a C++ program and back.
exports.values = () => {
  const circular = { name: 'circular' };
  circular.self = circular;
  circular.list = [circular];
  const shared = { shared: true };
  const sparse = [1, , 3];
  const error = new TypeError('an error', { cause: new Error('its cause') });
  return [
    Buffer.alloc(8 << 20, 'tine'),
    new Map([['inner', new Map([[1, 'one'], [{ key: 'object' }, new Set([1, 'two', null])]])]]),
    new Date(Date.UTC(2026, 10, 30, 1, 2, 3, 456)),
    2n ** 199n, -(2n ** 199n), 2n ** 63n - 1n, -(2n ** 63n),
    new Set(['a', 1, new Set()]),
    circular,
    [shared, shared],
    { undefined, nothing: null },
    sparse,
    [-0, NaN, Infinity, -Infinity, 2 ** 53, 0.1],
    /a+\/b/giu,
    error,
    new Uint8Array([1, 2, 3]), new Float64Array([0.5, -0]), new DataView(new ArrayBuffer(4)),
    new BigInt64Array([1n, -1n]), new Uint8Array([5]).buffer,
    new Number(5), new String('boxed'), new Boolean(false),
    'Grüße 你好 😀', { $date: 1, $type: 'the name of a tag' }, [], {},
  ];
};
