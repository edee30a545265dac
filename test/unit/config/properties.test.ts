import { expect, test } from '@jest/globals'
import { parseProperties } from '../../../broker/config/properties.ts'

// Each right-hand side is what java.util.Properties gives.
test.each<[string, string, Record<string, string>]>([
  ['the three separators', 'a=1\nb:2\nc 3\nd\t4', { a: '1', b: '2', c: '3', d: '4' }],
  ['blanks around a separator', '  a  =  1 2  \n b : c=d', { a: '1 2  ', b: 'c=d' }],
  ['a key without a value', 'a\nb=\nc:', { a: '', b: '', c: '' }],
  ['comments and blank lines', '# x=1\n  ! y=2\n\n   \na=1 # not a comment', { a: '1 # not a comment' }],
  ['continued lines', 'a=1,\\\n    2,\\\n\t3\nb=4', { a: '1,2,3', b: '4' }],
  ['an even number of backslashes ends the line', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
  ['a comment does not go on', '# c \\\na=1', { a: '1' }],
  ['a line that starts with # after a backslash is not a comment', 'a=1\\\n#2', { a: '1#2' }],
  ['escapes', 'a=\\t\\n\\r\\f\\\\\\q\\:', { a: '\t\n\r\f\\q:' }],
  ['escaped separators in a key', 'a\\ b\\=c\\:d=1', { 'a b=c:d': '1' }],
  ['unicode escapes', 'a=\\u00e4\\u20AC', { a: 'ä€' }],
  ['all line ends', 'a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
  ['the last of the same key', 'a=1\na=2', { a: '2' }],
  ['an empty key', '=1', { '': '1' }],
  ['a backslash at the end of the file', 'a=1\\', { a: '1' }],
])('reads %s', (_, text, expected) => {
  expect(Object.fromEntries(parseProperties(text))).toEqual(expected)
})

test('a \\u without four hex digits is refused', () => {
  expect(() => parseProperties('a=\\u12g4')).toThrow(SyntaxError)
})
