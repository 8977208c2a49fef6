// libgmp's side-channel-quiet functions under names that Swift sees: gmp.h renames them with macros, which Swift does not import.
#ifndef GLC_GMP_SHIM_H
#define GLC_GMP_SHIM_H

#include <gmp.h>

static inline mp_limb_t gmp_cnd_add_n(mp_limb_t condition, mp_limb_t *r, const mp_limb_t *a, const mp_limb_t *b, mp_size_t n) {
  return mpn_cnd_add_n(condition, r, a, b, n);
}

static inline mp_limb_t gmp_cnd_sub_n(mp_limb_t condition, mp_limb_t *r, const mp_limb_t *a, const mp_limb_t *b, mp_size_t n) {
  return mpn_cnd_sub_n(condition, r, a, b, n);
}

static inline mp_size_t gmp_sec_mul_itch(mp_size_t an, mp_size_t bn) { return mpn_sec_mul_itch(an, bn); }

static inline void gmp_sec_mul(mp_limb_t *r, const mp_limb_t *a, mp_size_t an, const mp_limb_t *b, mp_size_t bn,
                               mp_limb_t *scratch) {
  mpn_sec_mul(r, a, an, b, bn, scratch);
}

static inline mp_size_t gmp_sec_div_r_itch(mp_size_t nn, mp_size_t dn) { return mpn_sec_div_r_itch(nn, dn); }

static inline void gmp_sec_div_r(mp_limb_t *numerator, mp_size_t nn, const mp_limb_t *d, mp_size_t dn, mp_limb_t *scratch) {
  mpn_sec_div_r(numerator, nn, d, dn, scratch);
}

static inline mp_size_t gmp_sec_invert_itch(mp_size_t n) { return mpn_sec_invert_itch(n); }

static inline int gmp_sec_invert(mp_limb_t *r, mp_limb_t *a, const mp_limb_t *modulus, mp_size_t n, mp_bitcnt_t bits,
                                 mp_limb_t *scratch) {
  return mpn_sec_invert(r, a, modulus, n, bits, scratch);
}

#endif
