/**
 * Compiles the program into dist/: bundled, so that it starts fast and takes little memory, with everything
 * that start-up does not need in chunks of its own.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** In dist/ the storage thread's file stands beside the program, compiled. */
const compiledWorker: Plugin = {
  name: 'compiled-worker',
  setup({ onLoad }) {
    onLoad({ filter: /src\/storage\/embedded\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const contents = source.replace("'./worker.ts', import.meta.url", "'./worker.js', import.meta.url")
      if (contents === source) throw new Error(`${path} no longer names ./worker.ts: adapt scripts/build.ts`)
      return { contents, loader: 'ts' }
    })
  },
}

/** Messages are in English: the other fifty languages of zod would be read at every start. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'" }))
  },
}

/** What cannot be bundled goes beside the program: the programs for the kernel, and the module that calls libbpf. */
function carryNative(): void {
  cpSync('bpf/dist', 'dist/bpf', { recursive: true })
  const parts = [
    ...globSync('koffi/{package.json,index.cjs,LICENSE.txt,src/koffi/**/*.cjs}', { cwd: 'node_modules' }),
    ...globSync('@koromix/koffi-linux-{x64,arm64}/{package.json,index.js,linux_*/koffi.node}', { cwd: 'node_modules' }),
  ]
  for (const part of parts) {
    mkdirSync(join('dist/node_modules', part, '..'), { recursive: true })
    cpSync(join('node_modules', part), join('dist/node_modules', part))
  }
}

rmSync('dist', { recursive: true, force: true })
const result = await build({
  entryPoints: { main: 'src/main.ts', worker: 'src/storage/worker.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  // Class and function names stay readable in stack traces and profiles.
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: false,
  sourcemap: false,
  legalComments: 'none',
  metafile: true,
  // Some dependencies are CommonJS and ask for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';const require=__createRequire(import.meta.url);",
  },
  chunkNames: 'chunk-[hash]',
  plugins: [compiledWorker, englishOnly],
  // As ES modules, of which only what is used is kept; for Node the package names its CommonJS form.
  alias: { rxjs: join(import.meta.dirname, '../node_modules/rxjs/dist/esm/index.js') },
  logLevel: 'warning',
})
carryNative()
const bytes = Object.values(result.metafile.outputs).reduce((total, { bytes: size }) => total + size, 0)
console.log(`dist/ holds ${Object.keys(result.metafile.outputs).length} files, ${Math.round(bytes / 1024)} KiB`)
