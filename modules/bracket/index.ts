/** The Bracket Protocol: reading what models write, printing what they get. A library without state. */
export { isCopied, isQuoted } from './quoted.ts'
export { scan } from './scan.ts'
export { Scanner } from './scanner.ts'
export { fence, printCall, printResult, printScanError, printValue, toJson } from './print.ts'
export { BRACKET_LIMITS } from './types.ts'
export type { BracketError, BracketWarning, CallPart, ErrorPart, Part, ResultPart } from './types.ts'
export type { ScanListener, ScanOptions, TextPart, WarningPart } from './types.ts'
