/**
 * Stacks of isolates in terms of the sources. Frames of the bootstrap are left out; a file is named as people know it,
 * without the folders of this machine.
 */
import type { GuestError } from '../../contracts/sandbox.ts'
import { asError } from './messages.ts'
import type { Placed, Prepared } from './program.ts'

export type CrossedError = GuestError

/** The name V8 gives to the body of a file, after where it stands in the script. */
const BODY = /^(\s*at (?:async )?)__sandbox_add__\S* \((.*)\)$/

const FRAME = /(sandbox:(?:program|packages)):(\d+):(\d+)/g

export function mapStack(stack: string, prepared: Prepared): string {
  return stack
    .split('\n')
    .filter((line) => !/\bsandbox:guest\b/.test(line))
    .map((line) =>
      line.replace(BODY, '$1$2').replace(FRAME, (whole, file: string, at: string, column: string) => {
        const place = prepared.place(file, Number(at), Number(column))
        return place === undefined ? whole : `${place.id}:${place.line}:${place.column}`
      }),
    )
    .join('\n')
}

/** The first frame in a file of the module itself. */
export function placeOfStack(stack: string, prepared: Prepared): Placed | undefined {
  for (const [, file = '', line, column] of stack.matchAll(FRAME)) {
    const place = prepared.place(file, Number(line), Number(column))
    if (place?.file !== undefined) return place
  }
  return undefined
}

const places = new WeakMap<Error, Placed>()

/** Where an error that came from a guest was thrown, in a file of the module. */
export const placeOfError = (error: unknown): Placed | undefined =>
  error instanceof Error ? places.get(error) : undefined

/** An error of a guest as one of this process. */
export function errorFrom(data: unknown, prepared: Prepared): Error {
  const { name, message, stack, code, hint } = asError(data)
  const error = new Error(message)
  error.name = name
  error.stack = stack === '' ? `${name}: ${message}` : mapStack(stack, prepared)
  const place = placeOfStack(stack, prepared)
  if (place !== undefined) places.set(error, place)
  return Object.assign(error, code === undefined ? {} : { code }, hint === undefined ? {} : { hint })
}
