export const count: number = 'not a number';
