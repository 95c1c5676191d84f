// fork-ts-checker-webpack-plugin with C++ workers, in webpack.
//
//   node parent.mjs CHILD
import assert from 'node:assert';
import path from 'node:path';
import { promisify } from 'node:util';
import ForkTsCheckerWebpackPlugin from 'fork-ts-checker-webpack-plugin';
import webpack from 'webpack';
import { values } from '../values.mjs';

process.execPath = process.argv[2];
const context = import.meta.dirname;

// Runs webpack once. The plugin sends `change` to its workers. Returns what they have reported.
async function compile(change) {
  const errors = [];
  const compiler = webpack({
    mode: 'none',
    context,
    entry: './index.cjs',
    output: { path: path.join(context, 'output') },
    plugins: [new ForkTsCheckerWebpackPlugin({
      logger: { log() {}, error: (text) => errors.push(text) },
    })],
  });
  const hooks = ForkTsCheckerWebpackPlugin.getCompilerHooks(compiler);
  hooks.start.tap('test', (from) => ({ ...from, ...change }));
  hooks.error.tap('test', (error) => errors.push(error));

  const { compilation } = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  assert.deepStrictEqual(compilation.errors, []);
  return { errors, compilation };
}

{
  const { errors, compilation } = await compile(values());
  assert.deepStrictEqual(errors, []);
  assert.deepStrictEqual(compilation.warnings.map(({ issue }) => issue), [{
    severity: 'warning',
    code: 'CPP1',
    message: 'checked in C++',
    file: path.join(context, 'index.ts'),
    location: { start: { line: 1, column: 14 }, end: { line: 1, column: 19 } },
    arguments: [values(), false],
  }]);
  assert(compilation.fileDependencies.has(path.join(context, 'tsconfig.json')));
}

{
  const fail = new RangeError('in C++', { cause: values() });
  const { errors, compilation } = await compile({ fail });
  // Both workers refuse. The plugin reports each error, and logs its text.
  assert.deepStrictEqual(errors.filter((error) => error instanceof Error), [fail, fail]);
  const logged = errors.filter((error) => !(error instanceof Error));
  assert.deepStrictEqual(logged, [String(fail), String(fail)]);
  assert.deepStrictEqual(compilation.warnings, []);
}
