// The module that Tinypool's own worker loads.
export default (task) => task;
export const later = async (task) => task;
export const fail = (task) => { throw Object.assign(new RangeError(task), { code: 'E_FAIL' }); };
