;; One LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), which JavaScript decodes at a quarter of the speed.
;; `npm run generate:wasm` makes lz4-block.ts of it.
(module
  (memory (export "memory") 1)

  ;; Decodes what lies from `at` to `end` to `to`, up to `limit` at most, and gives where it ends there; -1 where that is no block. Copies
  ;; go by 16 bytes: behind `end` as many may be read, and behind `limit` written.
  (func (export "decode") (param $at i32) (param $end i32) (param $to i32) (param $limit i32) (result i32)
    (local $begin i32) ;; what matches may reach back to
    (local $token i32)
    (local $length i32)
    (local $more i32)
    (local $distance i32)
    (local $from i32)
    (local $target i32)
    (local.set $begin (local.get $to))
    (loop $sequence
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
      (local.set $token (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))

      ;; The length of the literals: a nibble, and bytes up to the first that is not 255.
      (local.set $length (i32.shr_u (local.get $token) (i32.const 4)))
      (if (i32.eq (local.get $length) (i32.const 15)) (then
        (loop $bytes
          (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
          (local.set $more (i32.load8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $length (i32.add (local.get $length) (local.get $more)))
          (br_if $bytes (i32.eq (local.get $more) (i32.const 255))))))
      (if
        (i32.or
          (i32.gt_u (local.get $length) (i32.sub (local.get $end) (local.get $at)))
          (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))))
        (then (return (i32.const -1))))

      ;; The literals.
      (local.set $from (local.get $at))
      (local.set $target (local.get $to))
      (local.set $at (i32.add (local.get $at) (local.get $length)))
      (local.set $to (i32.add (local.get $to) (local.get $length)))
      (loop $copy
        (v128.store (local.get $target) (v128.load (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (br_if $copy (i32.lt_u (local.get $target) (local.get $to))))
      ;; The last sequence has literals only.
      (if (i32.eq (local.get $at) (local.get $end)) (then (return (local.get $to))))

      ;; The match: how far back it begins, and its length as above, four less.
      (if (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 2)) (then (return (i32.const -1))))
      (local.set $distance (i32.load16_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (local.set $length (i32.and (local.get $token) (i32.const 15)))
      (if (i32.eq (local.get $length) (i32.const 15)) (then
        (loop $bytes
          (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
          (local.set $more (i32.load8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $length (i32.add (local.get $length) (local.get $more)))
          (br_if $bytes (i32.eq (local.get $more) (i32.const 255))))))
      (local.set $length (i32.add (local.get $length) (i32.const 4)))
      (if
        (i32.or
          (i32.eqz (local.get $distance))
          (i32.or
            (i32.gt_u (local.get $distance) (i32.sub (local.get $to) (local.get $begin)))
            (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to)))))
        (then (return (i32.const -1))))

      ;; What is repeated may be of what this writes: no more at a time than lies in between.
      (local.set $from (i32.sub (local.get $to) (local.get $distance)))
      (local.set $target (local.get $to))
      (local.set $to (i32.add (local.get $to) (local.get $length)))
      (if (i32.ge_u (local.get $distance) (i32.const 16))
        (then
          (loop $copy
            (v128.store (local.get $target) (v128.load (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $target (i32.add (local.get $target) (i32.const 16)))
            (br_if $copy (i32.lt_u (local.get $target) (local.get $to)))))
        (else
          (loop $copy
            (i32.store8 (local.get $target) (i32.load8_u (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (local.set $target (i32.add (local.get $target) (i32.const 1)))
            (br_if $copy (i32.lt_u (local.get $target) (local.get $to))))))
      (br $sequence))
    (unreachable)))
