/** The Bracket Protocol: reading what models write, printing what they get. A library without state. */
export { scan } from './scan.ts'
export { fence, printCall, printResult, printScanError, printValue, toJson } from './print.ts'
export { BRACKET_LIMITS, type BracketError, type CallPart, type Part, type ResultPart } from './types.ts'
