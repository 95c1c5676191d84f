// Random values of all types that structured clone knows, the same for the same seed.
'use strict';

const hasResizable = 'maxByteLength' in ArrayBuffer.prototype;
const views = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, DataView, BigInt64Array, BigUint64Array,
  ...(typeof Float16Array === 'function' ? [Float16Array] : []),
];
const flags = ['', 'g', 'gi', 'm', 'y', 'u', 'sd', ...(hasResizable ? ['v', 'iv'] : [])];
const pieces = [
  'a', 'bc', '0', '$', '/', '~', '"', '\\', '\n', '\0', 'é', 'ÿ', 'Ā', '日本', '😀', '\u2028',
  '\uFEFF', 'long text of ASCII',
];
const sources = ['a', '', 'a/b', '[0-9]+', 'é', '^x|y$'];
const numbers = [
  -0, NaN, Infinity, -Infinity, 0.5, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53),
  1e300, Number.MIN_VALUE,
];
const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
const keys = [
  '', '0', '1', '17', '4294967294', '4294967295', '-1', '01', '9999999999', '__proto__',
  'constructor', 'toJSON', '$date', '$set', '$map', '$ref', '$escape', '$boxed', '$undefined',
];

class RandomValue {
  #state;
  #known = [];  // objects of the value that is being made
  #causes = 0;  // how many Errors have their causes being made

  // Without `lossy`, values are such that tine gives them back as they were: no half surrogate
  // pairs, and no BigInt that a Number could be.
  constructor(seed, lossy) {
    this.#state = seed;
    this.lossy = lossy;
    const node = parseInt(process.versions.node, 10);
    // Older Nodes do not find invalid Dates equal.
    this.hasInvalidDates = lossy || node >= 24;
    // They cannot read an Error that is in its own cause, as may be one whose cause refers to others
    // when tine has changed the order of members.
    this.hasCircularErrors = node >= 22;
  }

  next() {
    this.#known = [];
    return this.#value(0);
  }

  #bits() {  // the generator mulberry32
    this.#state = (this.#state + 0x6D2B79F5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  }

  #below(limit) { return this.#bits() % limit; }
  #one(list) { return list[this.#below(list.length)]; }
  #times(limit, make) { return Array.from({ length: this.#below(limit) }, make); }
  #remember(object) {
    this.#known.push(object);
    return object;
  }

  #value(depth) {
    const mayRefer = this.#known.length > 0 && (this.#causes === 0 || this.hasCircularErrors);
    if (mayRefer && this.#below(12) === 0) return this.#one(this.#known);
    return depth < 4 && this.#below(3) !== 0 ? this.#container(depth + 1) : this.#leaf();
  }

  #leaf() {
    switch (this.#below(16)) {
      case 0: return null;
      case 1: return undefined;
      case 2: return this.#below(2) === 0;
      case 3: case 4: case 5: return this.#number();
      case 6: return this.#bigint();
      case 7: case 8: case 9: return this.#text();
      case 10: return this.#remember(this.#date());
      case 11: return this.#remember(new RegExp(this.#one(sources), this.#one(flags)));
      case 12: return this.#remember(this.#boxed());
      case 13: return this.#remember(this.#arrayBuffer());
      case 14: return this.#remember(Buffer.from(this.#arrayBuffer()));
      default: return this.#remember(this.#view());
    }
  }

  #boxed() {
    return Object(this.#one([true, false, this.#number(), this.#text(), this.#bigint(), 5n]));
  }

  #number() {
    if (this.#below(3) === 0) return this.#below(300) - 100;
    if (this.#below(3) === 0) {
      return this.#one(numbers);
    }
    return new DataView(Uint32Array.of(this.#bits(), this.#bits()).buffer).getFloat64(0);
  }

  #bigint() {
    let number = this.lossy ? 0n : 2n ** 53n;
    for (let n = this.#below(8); n > 0; --n) number = (number << 32n) + BigInt(this.#bits());
    return this.#below(2) === 0 ? number : -number;
  }

  #text() {
    const text = this.#times(this.#below(4) === 0 ? 30 : 4, () => this.#one(pieces)).join('');
    return this.lossy && this.#below(8) === 0 ? `${text}\ud83dx\ude00` : text;
  }

  #key() { return this.#below(3) === 0 ? this.#one(keys) : this.#text(); }

  #date() {
    if (this.hasInvalidDates && this.#below(8) === 0) return new Date(NaN);
    return new Date((this.#bits() - 2 ** 31) * 1e6 * (1 + this.#below(4)));
  }

  #arrayBuffer() {
    const bytes = this.#times(9, () => this.#below(256));
    const isResizable = hasResizable && this.#below(4) === 0;
    const maxByteLength = isResizable ? bytes.length + this.#below(9) : undefined;
    const buffer = new ArrayBuffer(bytes.length, { maxByteLength });
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  #view() {
    const bytes = new Uint8Array(8 * this.#below(4)).map(() => this.#below(256));
    const view = this.#one(views);
    // A view of a part, as Buffers usually are.
    const elementSize = view.BYTES_PER_ELEMENT || 1;
    const skipped = bytes.length > 0 ? elementSize : 0;
    return new view(bytes.buffer, skipped, (bytes.length - skipped) / elementSize);
  }

  #container(depth) {
    switch (this.#below(11)) {
      case 0: case 1: case 2: case 3: return this.#object(depth);
      case 4: case 5: return this.#array(depth);
      case 6: return this.#sparseArray(depth);
      case 7: return this.#map(depth);
      case 8: return this.#set(depth);
      case 9: return this.#tagged(depth);
      default: return this.#error(depth);
    }
  }

  #define(object, key, value) {
    Object.defineProperty(
      object, key, { value, enumerable: true, configurable: true, writable: true });
  }

  #object(depth) {
    const object = this.#remember({});
    this.#times(5, () => this.#define(object, this.#key(), this.#value(depth)));
    return object;
  }

  #array(depth) {
    const array = this.#remember(this.#below(2) === 0 ? [] : new Array(3));
    array.length = 0;
    this.#times(6, () => array.push(this.#value(depth)));
    return array;
  }

  #sparseArray(depth) {
    const array = this.#remember([]);
    if (this.#below(2) === 0) this.#times(5, () => array.push(this.#value(depth)));
    this.#times(3, () => { array[this.#below(15)] = this.#value(depth); });
    if (this.#below(8) === 0) array[4294967290] = this.#value(depth);
    if (this.#below(3) === 0) array.length += this.#below(3);
    if (this.#below(3) === 0) array[`p${this.#text()}`] = this.#value(depth);
    return array;
  }

  #map(depth) {
    const map = this.#remember(new Map());
    this.#times(4, () => map.set(this.#value(depth), this.#value(depth)));
    return map;
  }

  #set(depth) {
    const set = this.#remember(new Set());
    this.#times(4, () => set.add(this.#value(depth)));
    return set;
  }

  // An object that looks like one of those by which tine stands for other types.
  #tagged(depth) {
    const object = this.#remember({});
    const value = () => this.#value(depth);
    switch (this.#below(12)) {
      case 0: object.$date = this.#one([0, null, 'x', NaN]); break;
      case 1: object.$set = this.#array(depth); break;
      case 2: object.$map = [[value(), value()]]; break;
      case 3: object.$ref = this.#one(['', '/a', '1', '10/a', '0/a', '1#', 5]); break;
      case 4: object.$escape = value(); break;
      case 5: object.$bigint = this.#one(['0x5', '-0xfF', '5', '0x']); break;
      case 6: object.$boxed = value(); break;
      case 7: object.$number = this.#one(['NaN', '-Infinity', 'nan', NaN]); break;
      case 8:
        object.$binary = this.#one(['', 'QQ==', 'QR==', 'QQ=', 'aGk=', 'a']);
        if (this.#below(2) === 0) object.subtype = this.#one([0, 32, 99, -1, 'x']);
        break;
      case 9:
        Object.assign(object, { $resizable: this.#arrayBuffer(), maxByteLength: this.#one([9, -1]) });
        break;
      case 10: Object.assign(object, { $array: value(), length: this.#one([0, 3, -1, 1.5]) }); break;
      default: Object.assign(object, { $error: this.#one(['Error', 'x']), cause: value() });
    }
    if (this.#below(4) === 0) object.$more = true;
    return object;
  }

  #error(depth) {
    const type = this.#one(errors);
    const error = this.#below(4) === 0 ? new type() : new type(this.#text());
    error.stack = this.#one([error.stack, 'a stack é日', '']);
    // The error is not known in its own cause: deepStrictEqual() would not end.
    if (this.#below(2) === 0) {
      ++this.#causes;
      const value = this.#value(depth);
      --this.#causes;
      Object.defineProperty(error, 'cause', { value, configurable: true, writable: true });
    }
    return this.#remember(error);
  }
}

module.exports = RandomValue;
