#!/usr/bin/env node
'use strict';
// npm's `solc` package (the Solidity compiler as WebAssembly) behind the command line of the native compiler, as far as
// py-solc-x and forge use it:
//
//   solc.js --version
//   solc.js --standard-json [--base-path DIR] [--include-path DIR]... [--allow-paths DIR,...] [FILE]   (FILE or stdin)
//
// Only the JSON answer goes to stdout. Like the native compiler it opens imports and "urls" sources that the input does
// not carry itself, below the base, include and allowed paths and nowhere else. Anything unknown exits 1 with
// "unrecognised option '--x'", the words by which py-solc-x knows it.
// Format of input and output: https://docs.soliditylang.org/en/v0.8.37/using-the-compiler.html

const fs = require('node:fs');
const path = require('node:path');

class UsageError extends Error {}

/** Where npm put the `solc` package. */
function packageDir() {
  try {
    return path.dirname(require.resolve('solc/package.json', { paths: [__dirname] }));
  } catch {
    throw new Error('the node packages are not installed: run make setup');
  }
}

/** Load the compiler. It installs process-wide crash handlers that would print its whole source with any error of ours. */
function loadCompiler() {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = events.map((event) => process.listeners(event));
  const solc = require(packageDir());
  events.forEach((event, i) => {
    for (const added of process.listeners(event)) if (!before[i].includes(added)) process.removeListener(event, added);
  });
  return solc;
}

/** The long version, e.g. "0.8.37+commit.f401782d.Emscripten.clang"; kept in the package's folder, since every caller
 * asks for it first and loading the compiler takes half a second. */
function longVersion() {
  const kept = path.join(packageDir(), '.long-version');
  try {
    return fs.readFileSync(kept, 'utf8');
  } catch {
    const version = loadCompiler().version();
    try {
      fs.writeFileSync(`${kept}.${process.pid}`, version);
      fs.renameSync(`${kept}.${process.pid}`, kept); // atomic: two compilers may start at once
    } catch { /* a read-only node_modules is fine, only slower */ }
    return version;
  }
}

/** Options of one call. Throws UsageError for what the native compiler has and this wrapper has not. */
function parseArguments(argv) {
  const options = { version: false, standardJson: false, base: '', include: [], allow: [], files: [] };
  const rest = [...argv];
  while (rest.length) {
    const [flag, attached] = rest[0].startsWith('--') ? rest[0].split(/=(.*)/s) : [rest[0]];
    rest.shift();
    const value = () => {
      const given = attached ?? rest.shift();
      if (given === undefined) throw new UsageError(`the required argument for option '${flag}' is missing`);
      return given;
    };
    if (flag === '--version') options.version = true;
    else if (flag === '--standard-json') options.standardJson = true;
    else if (flag === '--base-path') options.base = value();
    else if (flag === '--include-path' || flag === '-I') options.include.push(value());
    else if (flag === '--allow-paths') options.allow.push(...value().split(',').filter(Boolean));
    else if (flag.startsWith('-') && flag !== '-') throw new UsageError(`unrecognised option '${flag}'`);
    else options.files.push(flag);
  }
  return options;
}

/** The compiler's read callback: source unit name → {contents} or {error}. */
function sourceReader({ base, include, allow }) {
  const roots = [base, ...include].map((root) => path.resolve(root));
  const allowed = [...roots, ...allow.map((root) => path.resolve(root))];
  const isAllowed = (file) => allowed.some((root) => !path.relative(root, file).startsWith('..'));
  return (name) => {
    const unit = name.replace(/^file:\/\//, '');
    const candidates = roots.map((root) => path.resolve(root, unit));
    const found = candidates.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
    if (!found) return { error: `File not found. Searched: ${candidates.join(', ')}` };
    if (!isAllowed(found)) return { error: 'File outside of allowed directories.' };
    return { contents: fs.readFileSync(found, 'utf8') };
  };
}

/** Put the text of "urls" sources into the input: the WebAssembly compiler does not open them itself. */
function inlineUrls(input, read) {
  for (const source of Object.values(input?.sources ?? {})) {
    if (typeof source?.content === 'string' || !Array.isArray(source?.urls)) continue;
    const texts = source.urls.map((url) => read(url).contents);
    const content = texts.find((text) => text !== undefined);
    if (content !== undefined) {
      source.content = content;
      delete source.urls;
    }
  }
  return input;
}

/** Compile one standard JSON input (text) to its output (text); bad JSON is answered by the compiler, in JSON. */
function compile(text, read) {
  let input = text;
  try {
    input = JSON.stringify(inlineUrls(JSON.parse(text), read));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return loadCompiler().compile(input, { import: read });
}

function main(argv) {
  const options = parseArguments(argv);
  if (options.version) return `solc, the solidity compiler commandline interface\nVersion: ${longVersion()}\n`;
  if (!options.standardJson) throw new UsageError('this solc answers --version and --standard-json only');
  if (options.files.length > 1) throw new UsageError('--standard-json takes one input file');
  const [file] = options.files;
  const text = fs.readFileSync(file === undefined || file === '-' ? 0 : file, 'utf8');
  return `${compile(text, sourceReader(options))}\n`;
}

try {
  process.stdout.write(main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? error.message : `Error: ${error.message}`}\n`);
  process.exitCode = 1;
}
