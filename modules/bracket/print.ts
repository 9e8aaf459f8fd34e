/**
 * Values → Bracket Protocol text, one spelling for each value. Tool output goes through here and nowhere else, so it
 * can never open or close a fence: a string is quoted or raw, and the fence has more backticks than any line in it.
 */
import type { Json, JsonMap } from '../contracts/seams.ts'
import type { ToolResult } from '../contracts/tool.ts'
import type { BracketError } from './types.ts'

const BARE_KEY = /^[A-Za-z_][\w.$/-]*$/
// eslint-disable-next-line no-control-regex -- raw text may not hold control characters
const RAW_TEXT = /^[^\u0000-\u0008\u000b-\u001f\u007f]*$/

function printString(value: string): string {
  if (
    !value.includes('\n') ||
    !RAW_TEXT.test(value) ||
    /[\ud800-\udfff]/.test(value.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ''))
  ) {
    return JSON.stringify(value)
  }
  const lines = value.split('\n')
  let tag = 'END'
  for (let index = 2; lines.some((line) => line.trim().startsWith(tag)); index++) tag = `END${index}`
  return `<<${tag}\n${value}\n${tag}`
}

const printKey = (key: string): string => (BARE_KEY.test(key) ? key : JSON.stringify(key))

export function printValue(value: Json): string {
  if (typeof value === 'string') return printString(value)
  if (Array.isArray(value)) return `[${value.map((one) => printValue(one)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${printKey(key)}: ${printValue(one)}`)
      .join(', ')}}`
  }
  return JSON.stringify(value)
}

/** `{a: 1} {b: 2}`: the members of a map as groups, one each. */
function printGroups(map: JsonMap): string {
  const groups = Object.entries(map).map(([key, value]) => `{${printMember(key, value)}}`)
  return groups.length === 0 ? '{}' : groups.join(' ')
}

function printMember(key: string, value: Json): string {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMap ? `${printKey(key)} ${printGroups(value)}` : `${printKey(key)}: ${printValue(value)}`
}

export function printCall(name: string, params: JsonMap, id?: string): string {
  const named = id === undefined ? '' : ` {id: ${printValue(id)}}`
  return `{call: ${name}${named} {params ${printGroups(params)}}}`
}

export function printResult(result: ToolResult): string {
  const { name, status, warnings } = result
  const told = warnings === undefined ? '' : ` {warnings: ${printValue(warnings)}}`
  if (result.status === 'error') {
    const { code, message, hint } = result.error
    return `{result: ${name} {status: ${status}}${told} {error ${printGroups({ code, message, hint })}}}`
  }
  const value = toJson(result.value)
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const more = result.more === undefined ? '' : ` {more ${printGroups({ ...result.more })}}`
  const data = isMap ? printGroups(value) : `{value: ${printValue(value)}}`
  return `{result: ${name} {status: ${status}}${told} {data ${data}}${more}}`
}

/** An answer to a call that could not be read, in a form the model can act on. */
export function printScanError(error: BracketError): string {
  const { code, message, hint, line, column } = error
  const example = '{call: filesystem_read_file {params {path: "notes.txt"}}}'
  return `{result: unknown {status: error} {error ${printGroups({ code, message, hint, line, column, example })}}}`
}

/** A fence no line of the content can close. */
export function fence(label: 'tool' | 'result', content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/^[ \t]*(`+)/gm)].map((found) => (found[1] ?? '').length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${label}\n${content}\n${ticks}`
}

/** Anything a tool may return, as JSON. What JSON cannot hold becomes text, never silently nothing. */
export function toJson(value: unknown): Json {
  if (value === undefined) return null
  const text = JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === 'bigint') return String(one)
    if (one instanceof Uint8Array) return Buffer.from(one).toString('base64')
    if (one instanceof Map) return Object.fromEntries(one)
    if (one instanceof Set) return [...one]
    if (typeof one === 'number' && !Number.isFinite(one)) return String(one)
    return one
  })
  return text === undefined ? null : (JSON.parse(text) as Json)
}
