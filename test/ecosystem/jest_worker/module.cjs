// The module that jest-worker's own worker loads.
const { messageParent } = require('jest-worker');

let given;
exports.setup = (...args) => { given = args; };
exports.teardown = () => messageParent('teardown');
exports.given = () => given;
exports.echo = (value) => value;
exports.isSame = (one, other) => one === other;
exports.later = async (value) => value;
exports.report = (value) => messageParent(value);
exports.fail = (message) => { throw Object.assign(new RangeError(message), { code: 'E_FAIL' }); };
