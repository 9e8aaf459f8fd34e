/**
 * A tool's parameters from the words of a question. Explicit `key=value` wins, then quoted text, then what looks like
 * the kind of value the parameter's name and type ask for. What cannot be found stays open and is asked for.
 */
import type { JsonMap } from '../../contracts/seams.ts'
import type { ListedTool } from './catalogue.ts'

type Param = ListedTool['params'][number]

export function fillParams(question: string, tool: ListedTool): { params: JsonMap; missing: string[] } {
  const params: JsonMap = {}
  const missing: string[] = []
  const quoted = [...question.matchAll(/"([^"]+)"|`([^`]+)`|'([^']+)'/g)].map(
    (found) => found[1] ?? found[2] ?? found[3] ?? '',
  )
  // What was said as `name=value` is no part of the sentence any more.
  const rest = tool.params.reduce((text, { name }) => text.replace(explicitly(name), ' '), question).trim()
  for (const param of tool.params) {
    const value = explicit(question, param) ?? guess(rest, param, quoted, tool.name)
    if (value !== undefined) params[param.name] = value
    else if (param.required) missing.push(param.name)
  }
  return { params, missing }
}

const explicitly = (name: string): RegExp => new RegExp(`\\b${name}\\s*[=:]\\s*(?:"([^"]*)"|'([^']*)'|(\\S+))`, 'i')

function explicit(question: string, { name, type }: Param): JsonMap[string] | undefined {
  const found = explicitly(name).exec(question)
  const text = found?.[1] ?? found?.[2] ?? found?.[3]?.replace(/[,;.?!]+$/, '')
  return text === undefined ? undefined : convert(text, type)
}

function convert(text: string, type: string): JsonMap[string] {
  if (type === 'number' || type === 'integer') return Number.isFinite(Number(text)) ? Number(text) : text
  if (type === 'boolean') return text === 'true' || text === 'yes'
  return text
}

function guess(question: string, param: Param, quoted: string[], toolName: string): JsonMap[string] | undefined {
  const { name, type, required } = param
  if (type.startsWith('"')) return choices(type).find((word) => new RegExp(`\\b${word}\\b`, 'i').test(question))
  if (type === 'boolean') return new RegExp(`\\b${name}`, 'i').test(question) ? true : undefined
  if (type === 'number' || type === 'integer') {
    const found = required ? /-?\d+(?:\.\d+)?/.exec(question)?.[0] : undefined
    return found === undefined ? undefined : Number(found)
  }
  if (type !== 'string') return undefined
  if (name === 'sql') return sqlFrom(question)
  if (name === 'path' || name === 'file') return pathFrom(question, quoted)
  if (!required) return undefined
  return quoted.shift() ?? (name === 'service' ? serviceFrom(question) : restFrom(question, toolName))
}

const choices = (type: string): string[] => [...type.matchAll(/"([^"]+)"/g)].map((found) => found[1] ?? '')

function pathFrom(question: string, quoted: string[]): string | undefined {
  const at = quoted.findIndex((text) => /[./]/.test(text))
  if (at >= 0) return quoted.splice(at, 1)[0]
  const written = /(?:^|\s)((?:[\w-]+\/)*[\w-]+\.[a-z0-9]{1,5}|(?:[\w.-]+\/)+[\w.-]*)(?=[\s,;?!]|\.?$|\.\s)/i.exec(
    question,
  )?.[1]
  if (written !== undefined) return written
  // `the files in modules`: a plain word, as the last one only.
  return /\b(?:in|under|of)\s+(?:the\s+)?(?:folder\s+)?([\w-]+)[.?!]*$/i.exec(question)?.[1]
}

const serviceFrom = (question: string): string | undefined =>
  (
    /\b(?!(?:the|this|a|show|describe|reload|restart)\b)([\w./-]+)\s+service\b/i.exec(question)?.[1] ??
    /\b(?:service|reload|restart|show|describe)\s+(?:me\s+)?(?:the\s+)?(?:service\s+)?([\w./-]+)/i.exec(question)?.[1]
  )?.replace(/[.?!]+$/, '')

/** `the weather for Oslo` → Oslo, `greet Ada` → Ada: what follows the last preposition, or a word of the tool's name. */
function restFrom(question: string, toolName: string): string | undefined {
  const text = question.trim()
  const names = toolName.split('_').join('|')
  const found =
    /^.*\b(?:for|of|in|about|to|named|called|with)\s+(.+?)[.?!]*$/is.exec(text)?.[1] ??
    new RegExp(`\\b(?:${names})\\s+(.+?)[.?!]*$`, 'is').exec(text)?.[1]
  return found === undefined || found === '' ? undefined : found
}

/** A statement as written, or a plain one over the table the question names. */
function sqlFrom(question: string): string | undefined {
  const written = /\bselect\b[\s\S]+?(?=[`"]|$)/i.exec(question)?.[0]
  if (written !== undefined && /\bfrom\b|\bselect\s+[\d'(]/i.test(written)) return written.trim().replace(/[;?]+$/, '')
  const table =
    /\b([a-z]\w*_\w+)\b/i.exec(question)?.[1] ??
    /\b(?:table|from|in)\s+(?:the\s+)?(?:table\s+)?"?([a-z]\w*)"?/i.exec(question)?.[1]
  if (table === undefined) return undefined
  if (/\b(how many|count|number of)\b/i.test(question)) return `SELECT count(*) AS rows FROM ${table}`
  if (/\b(last|latest|newest|recent)\b/i.test(question)) return `SELECT * FROM ${table} ORDER BY rowid DESC LIMIT 5`
  return `SELECT * FROM ${table} LIMIT 20`
}
