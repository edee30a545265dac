export default {
  testEnvironment: './test/tools/jest-environment.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': './test/tools/strip-types.mjs' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.cache/'],
  // A test ends by what it looks at; this is for what hangs. 5 s, Jest's default, fails tests of whole clusters where the machine is busy.
  testTimeout: 120_000,
  reporters: ['default'],
}
