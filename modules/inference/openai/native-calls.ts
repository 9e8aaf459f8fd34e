/**
 * Tool calls in the provider's own form, put together from their pieces and printed as a model would write them in
 * text, so that whoever reads the answer knows one form only. Arguments that are no JSON are shown as they came: the
 * reader repairs them or tells the model where they break, as with any call. Pure.
 */
import { fence, printCall } from '../../bracket/index.ts'
import type { Json, JsonMap } from '../../contracts/seams.ts'
import type { ToolInfo } from '../../contracts/tool.ts'

/** A piece of a call; servers differ in what they leave out. */
interface CallPiece {
  index?: number
  id?: string | null
  function?: { name?: string | null; arguments?: string | null } | null
}

interface OpenCall {
  index: number | undefined
  id: string
  name: string
  args: string
}

interface NativeFunction {
  type: 'function'
  function: { name: string; description: string; parameters: JsonMap }
}

const CALLS_MAX = 128

/** In the order of their names, so that the bytes stay the same while no tool changes. */
export const nativeFunctions = (tools: readonly ToolInfo[]): NativeFunction[] =>
  [...tools]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, description, schema }) => ({ type: 'function', function: { name, description, parameters: schema } }))

export class NativeCalls {
  readonly #calls: OpenCall[] = []

  add(pieces: readonly CallPiece[]): void {
    for (const piece of pieces) this.#add(piece)
  }

  /** All calls as text; empty when there are none. `cut`: the last one may not be whole, and its fence stays open. */
  print(mark: string | undefined, cut: boolean): string {
    const blocks = this.#calls.map((call, at) => {
      const block = fence('tool', printOne(call, mark === undefined ? undefined : `${mark}-${call.id || at + 1}`))
      return cut && at === this.#calls.length - 1 ? block.slice(0, block.lastIndexOf('\n')) : block
    })
    return blocks.join('\n')
  }

  #add({ index, id, function: said }: CallPiece): void {
    let call = this.#find(index, id ?? '', said?.name ?? '')
    if (call === undefined) {
      if (this.#calls.length === CALLS_MAX) throw new Error(`its answer has more than ${CALLS_MAX} calls`)
      call = { index, id: '', name: '', args: '' }
      this.#calls.push(call)
    }
    if (id !== undefined && id !== null && id !== '') call.id = id
    // Some servers repeat the whole name with each piece, none sends it in pieces.
    if (said?.name !== undefined && said.name !== null && said.name !== '') call.name = said.name
    call.args += said?.arguments ?? ''
  }

  /** The call a piece goes on with: some servers number all calls 0, or none, and tell them apart by ids or names only. */
  #find(index: number | undefined, id: string, name: string): OpenCall | undefined {
    const last = this.#calls.at(-1)
    if (index === undefined)
      return id === '' && name === '' ? last : this.#calls.find((call) => id !== '' && call.id === id)
    const call = this.#calls.findLast((one) => one.index === index)
    return call !== undefined && id !== '' && call.id !== '' && call.id !== id ? undefined : call
  }
}

function printOne({ name, args }: OpenCall, id: string | undefined): string {
  const params = readArguments(args)
  if (params !== undefined) return printCall(name, params, id)
  const text = args.trim()
  // What is no map at all must not be read as one: in braces it is an error.
  return printCall(name, {}, id).replace(/\{\}\}\}$/, () => `${text.startsWith('{') ? text : `{${text}}`}}}`)
}

function readArguments(text: string): JsonMap | undefined {
  if (text.trim() === '') return {}
  try {
    const value = JSON.parse(text) as Json
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
