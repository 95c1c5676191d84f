// Tells which nlohmann::json value tine must make of a JavaScript value: an implementation of
// docs/advanced.md that shares nothing with tine's.
//
// Numbers and bytes are told in a way that does not depend on a parser of JSON: {"#int": "5"},
// {"#float": bits}, {"#binary": bytes as Latin-1, "subtype": 1}.
'use strict';
const { types } = require('util');

const subtypes = [
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array',
  'Uint32Array', 'Float32Array', 'Float64Array', 'DataView', 'Buffer', 'BigInt64Array',
  'BigUint64Array', 'Float16Array',
];
const arrayBufferSubtype = 32;

// What becomes of an object. The path to it is known when all is mapped.
class Box {
  content = null;
  path = null;
}

// The place of an object that has been mapped before.
class Reference {
  path = null;
  constructor(target) { this.target = target; }
}

const wellFormed = (text) => Buffer.from(text).toString();

function object(members) {
  return Object.assign(Object.create(null), members);
}

function number(value) {
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  if (isInteger) return object({ '#int': String(value) });
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  if (Number.isNaN(value)) bits.setBigUint64(0, 0x7ff8n << 48n);  // any NaN is this one
  return object({ '#float': bits.getBigUint64(0).toString(16) });
}

function hexadecimal(value) {
  return `${value < 0n ? '-' : ''}0x${(value < 0n ? -value : value).toString(16)}`;
}

function bigint(value) {
  const fits = value >= -(2n ** 63n) && value < 2n ** 64n;
  return object(fits ? { '#int': String(value) } : { $bigint: hexadecimal(value) });
}

function binary(bytes, subtype) {
  return object({ '#binary': Buffer.from(bytes).toString('latin1'), subtype });
}

// Returns the Relative JSON Pointer that leads from a path to another one.
function pointer(from, to) {
  const shared = to.findIndex((key, i) => key !== from[i]);
  const common = shared === -1 ? to.length : shared;
  const escape = (key) => `/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
  return `${from.length - common}${to.slice(common).map(escape).join('')}`;
}

// Replaces boxes by what is in them, and references by {"$ref": pointer}. While paths are not known,
// the pointer is empty.
function unboxed(value) {
  if (value instanceof Box) return unboxed(value.content);
  if (value instanceof Reference) {
    return object({ $ref: value.path ? pointer(value.path, value.target.path) : '' });
  }
  if (Array.isArray(value)) return value.map(unboxed);
  if (value === null || typeof value !== 'object') return value;
  return membersOf(value, unboxed);
}

const has = (value, key) => value !== null && typeof value === 'object' && key in value;
const isText = (value) => typeof value === 'string';
const isNumber = (value) => has(value, '#int') || has(value, '#float');
const isLength = (value) => has(value, '#int') && !value['#int'].startsWith('-');
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) &&
    !isNumber(value) && !has(value, '#binary');
// JSON text has objects for bytes, and for numbers that it has no digits for.
const isObjectInText = (value) => isObject(value) || has(value, '#binary') ||
    (has(value, '#float') && /^[7f]ff/.test(value['#float'].padStart(16, '0')));
const isHex = (value) => isText(value) && /^-?0x[0-9a-f]+$/i.test(value);
const isBigint = (value) => isObject(value) && Object.keys(value).join() === '$bigint' &&
    isHex(value.$bigint);
const isPair = (value) => Array.isArray(value) && value.length === 2;
const isBase64 = (value) => isText(value) &&
    Buffer.from(value, 'base64').toString('base64') === value;
const isNumberName = (value) => ['NaN', 'Infinity', '-Infinity'].includes(value);
const isArrayBuffer = (value) => has(value, '#binary') && value.subtype === arrayBufferSubtype;
const isErrorName = (name) => isText(name) &&
    /^(Eval|Range|Reference|Syntax|Type|URI)?Error$/.test(name);

// Tells if an object, whose members are given, would be taken for one that stands for another type.
function looksTagged(members) {
  const names = Object.keys(members).sort().join();
  switch (names) {
    case '$undefined': return members.$undefined === true;
    case '$date': return members.$date === null || isNumber(members.$date);
    case '$set': return Array.isArray(members.$set);
    case '$map': return Array.isArray(members.$map) && members.$map.every(isPair);
    case '$bigint': return isHex(members.$bigint);
    case '$ref': return isText(members.$ref) && /^[1-9]\d*(\/|$)/.test(members.$ref);
    case '$escape': return isObjectInText(members.$escape);
    case '$binary': return isBase64(members.$binary);
    case '$binary,subtype': return isBase64(members.$binary) && isLength(members.subtype);
    case '$number': return isNumberName(members.$number);
    case '$boxed':
      return [(value) => typeof value === 'boolean', isText, isNumber, isBigint]
        .some((is) => is(members.$boxed));
    case '$regexp,flags': return isText(members.$regexp) && isText(members.flags);
    case '$resizable,maxByteLength':
      return isArrayBuffer(members.$resizable) && isLength(members.maxByteLength);
    case '$array,length': return isObjectInText(members.$array) && isLength(members.length);
    case '$error': case '$error,cause': return isErrorName(members.$error);
    default: return false;
  }
}

function plainObject(members) {
  return looksTagged(unboxed(members)) ? object({ $escape: members }) : members;
}

function membersOf(value, map) {
  const members = object({});
  for (const key of Object.keys(value)) members[wellFormed(key)] = map(value[key]);
  return members;
}

function array(value, map) {
  const names = Object.keys(value);
  const isWhole = names.length === value.length && names.every((name, i) => name === String(i));
  if (isWhole) return value.map(map);
  return object({ $array: membersOf(value, map), length: number(value.length) });
}

function error(value, map) {
  const members = object({ $error: isErrorName(value.name) ? value.name : 'Error' });
  if (Object.hasOwn(value, 'message')) members.message = wellFormed(value.message);
  members.stack = wellFormed(value.stack);
  if (Object.hasOwn(value, 'cause')) members.cause = map(value.cause);
  return members;
}

function bytes(value) {
  if (types.isArrayBuffer(value)) {
    const buffer = binary(value, arrayBufferSubtype);
    if (!value.resizable) return buffer;
    return object({ $resizable: buffer, maxByteLength: number(value.maxByteLength) });
  }
  const subtype = Buffer.isBuffer(value) ? null : subtypes.indexOf(value.constructor.name);
  return binary(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), subtype);
}

function regexp(value) {
  const flags = [...'gimyusdv'].filter((flag) => value.flags.includes(flag)).join('');
  return object({ $regexp: value.source, flags });
}

function boxed(value, map) {
  const content = value.valueOf();
  if (typeof content !== 'bigint') return object({ $boxed: map(content) });
  return object({ $boxed: object({ $bigint: hexadecimal(content) }) });
}

function content(value, map) {
  if (Array.isArray(value)) return array(value, map);
  if (types.isDate(value)) return object({ $date: isNaN(value) ? null : number(value.getTime()) });
  if (types.isRegExp(value)) return regexp(value);
  if (types.isMap(value)) return object({ $map: [...value].map((pair) => pair.map(map)) });
  if (types.isSet(value)) return object({ $set: [...value].map(map) });
  if (types.isNativeError(value)) return error(value, map);
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return bytes(value);
  if (types.isBoxedPrimitive(value)) return boxed(value, map);
  return plainObject(membersOf(value, map));
}

function setPaths(value, path) {
  if (value instanceof Reference) {
    value.path = path;
  } else if (value instanceof Box) {
    value.path = path;
    setPaths(value.content, path);
  } else if (value !== null && typeof value === 'object') {
    for (const key of Object.keys(value)) setPaths(value[key], [...path, key]);
  }
}

module.exports = function mappedValue(root) {
  const boxes = new Map();
  function map(value) {
    if (value === undefined) return object({ $undefined: true });
    if (typeof value === 'number') return number(value);
    if (typeof value === 'bigint') return bigint(value);
    if (typeof value === 'string') return wellFormed(value);
    if (value === null || typeof value !== 'object') return value;
    if (boxes.has(value)) return new Reference(boxes.get(value));
    const box = new Box();
    boxes.set(value, box);
    box.content = content(value, map);
    return box;
  }
  const box = map(root);
  setPaths(box, []);
  return unboxed(box);
};
