/**
 * Runs the files of a graph, each once, in the order of their imports. Files come as functions (`bundle.ts` made them): an
 * ES module as an async function that asks for its imports and defines its exports, a CommonJS file as the usual one.
 * An import that leads back to a file under way gets what that has exported so far. Serves the bootstrap, the programs in
 * isolates and the child process.
 */
export type Exports = Record<string, unknown>

/** id, specifier → id, how it is written, the code */
export type LinkedFile = readonly [
  id: string,
  imports: Readonly<Record<string, string>>,
  kind: 'esm' | 'cjs',
  body: (...args: unknown[]) => unknown,
]

interface Running {
  file: LinkedFile
  exports: Exports
  state: 'new' | 'running' | 'done'
  done: Promise<void> | undefined
  module: { exports: unknown } | undefined
}

export interface LinkOptions {
  /** what is not among the files */
  outside(id: string, specifier: string): Exports | Promise<Exports>
  /** for `import()` and for a `require()` that leads nowhere */
  refuse(specifier: string, importer: string): Error
}

const { defineProperty: defineExport, create: createBare, keys: namesOf } = Object

export class Linker {
  private readonly files = new Map<string, Running>()
  private readonly options: LinkOptions

  constructor(options: LinkOptions) {
    this.options = options
  }

  add(files: readonly LinkedFile[]): void {
    for (const file of files) {
      this.files.set(file[0], {
        file,
        exports: createBare(null) as Exports,
        state: 'new',
        done: undefined,
        module: undefined,
      })
    }
  }

  async run(id: string): Promise<Exports> {
    const found = this.files.get(id)
    if (found === undefined) throw new Error(`no file ${id}`)
    await this.evaluate(found)
    return found.exports
  }

  private evaluate(running: Running): Promise<void> | undefined {
    if (running.state !== 'new') return running.done
    running.state = 'running'
    running.done = this.start(running)
    return running.done
  }

  private async start(running: Running): Promise<void> {
    const [id, imports, kind, body] = running.file
    if (kind === 'cjs') {
      await this.prepare(running, new Set())
      this.require(running)
    } else {
      const { exports } = running
      const load = (specifier: string): unknown => this.import(specifier, imports)
      const dynamic = (specifier: unknown): unknown => Promise.reject(this.options.refuse(String(specifier), id))
      await body(load, dynamic, exports, (from: Exports) => exportAll(exports, from), { url: `sandbox:${id}` })
    }
    running.state = 'done'
  }

  private import(specifier: string, imports: Readonly<Record<string, string>>): unknown {
    const target = imports[specifier] ?? specifier
    const found = this.files.get(target)
    if (found === undefined) return this.options.outside(target, specifier)
    // Imports are awaited one by one: a file under way is one that waits for this one. It gets what is there.
    if (found.state === 'running') return found.exports
    const done = this.evaluate(found)
    return done === undefined ? found.exports : after(done, found.exports)
  }

  /** ES modules wait for others, `require` cannot: those it leads to are run before. */
  private async prepare(running: Running, seen: Set<Running>): Promise<void> {
    seen.add(running)
    for (const id of Object.values(running.file[1])) {
      const found = this.files.get(id)
      if (found === undefined || seen.has(found)) continue
      if (found.file[2] === 'cjs') await this.prepare(found, seen)
      else if (found.state !== 'running') await this.evaluate(found)
    }
  }

  private require(running: Running): unknown {
    if (running.module !== undefined) return running.module.exports
    const [id, imports, kind, body] = running.file
    if (kind === 'esm') {
      if (running.state !== 'done') throw this.options.refuse(id, id)
      return running.exports
    }
    running.state = 'done'
    const module = { exports: {} as unknown }
    running.module = module
    const load = (specifier: string): unknown => {
      const found = this.files.get(imports[specifier] ?? '')
      if (found === undefined) throw this.options.refuse(String(specifier), id)
      return this.require(found)
    }
    Reflect.apply(body, module.exports, [module.exports, load, module, id, ''])
    cjsExports(running.exports, module)
    return module.exports
  }
}

async function after(done: Promise<void>, exports: Exports): Promise<Exports> {
  await done
  return exports
}

function exportAll(into: Exports, from: Exports): void {
  for (const name of namesOf(from)) {
    if (name === 'default' || name in into) continue
    defineExport(into, name, { enumerable: true, configurable: true, get: () => from[name] })
  }
}

/** As Node does it: `default` is `module.exports`, the others are its own names. */
function cjsExports(into: Exports, module: { exports: unknown }): void {
  const get = (name: string): unknown => (module.exports as Exports)[name]
  const own = typeof module.exports === 'object' || typeof module.exports === 'function' ? (module.exports ?? {}) : {}
  for (const name of namesOf(own)) {
    if (name !== 'default') defineExport(into, name, { enumerable: true, get: () => get(name) })
  }
  defineExport(into, 'default', { enumerable: true, get: () => module.exports })
}
