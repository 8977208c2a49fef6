/// What a Bitcoin node (29.4) says of random descriptors and of others with a few characters changed; keys as in `DescriptorVectors`.
enum DescriptorNodeVectors {
  /// What it refuses, for reasons of every kind.
  static let refused = #"""
    raw(DEA{beef)
    sh(dv:pk($o))
    pk(deadbeef])
    pk([deabeef])
    tr($q,pk($k))
    wsh(after(1))
    wsh(5lder(0))
    rDw(aEADbeef)
    raw(deadbee#)
    wsh(n:pk($3))
    wsh(wpkh($x))
    sh(combo($3))
    sh(wpk_h($k))
    wsh(pkh({$d))
    multi(0,$w,$b)
    raw(d#eadbeef)
    multi(3,$w,$b)
    raw(dea(dbeef)
    pk([eeadbedf])
    multi_a(1,)$q)
    pk([:eadb2ef])
    pk([dead1eef])
    pk([deadbee5])
    wsh(or_i(0,0))
    wsh(or_i(1,1))
    rawtr($w,dv:0)
    sh(sh(pkh[$b)))
    tr($q,multi(2,$y))
    wsh(raw(d#adbeef))
    tr([00000000/2H]$y)
    multi(2,$y,$q,$x,$v)
    sortedmulti(4,$k,$x,$b)
    sh(and_n(after(144),0))
    multi(0,[00000000/5]$q)
    tr($x,{pkh($k),pkh($y)})
    pk([deadbee/5'/44'/1]$b)
    wsh(pkh([zzzzzzzz/0]$q))
    tr($d,t:multi_a(2,$q,$q))
    pk([de]dbeef/0h/0h/0h]$g)
    wsh(jdv:after(500000000))
    pk([00000500/2147483648]$d)
    sh(,or_d(pk([zzzzzzzz]$q),1))
    sh(wsh(or_i(pkh($q),pkh($q))))
    wsh(and_v(v:0,older(4194305)))
    wsh(wpkh([deadbeef/5'/0h/5]$q))
    rawtr($d,pkh([00000000/2'/44/1']$3))
    addr(3PUNyaW7M55oKWJkukwkbsKvryra15j)
    adr(3PUNy,WM55oKWJ3kDukwk9bsKvryra15j)
    addr(3PUNyaW7M55oKWJ3kDuk1k9bsKvryra15j)
    addr(3PUNyaW7M5'5oKWJ3kDukwk9bsKvryra15j)
    wsh(sortedmulti_a(3,$y,[DEADBEEF/44/2'/1]$w))
    addr(BC1QW508D6QEJXTD4Y5R3ZARVARY0C5XW#KV8F3T4)
    raw(a9149a4d901d6af519b2a23d4a2f51650fcba87ce7b87)
    wsh(and_n(n:pk($w),and_b(multi(1,$b,$g),s:pk($w))))
    wEkh(5KYZdUpo39z3FPrtuXQbbwGnNP5zTd7yyr2SC1j299sBCnWjss)
    s(pk(L4rK1yDtCWekvXuE6oXD9jCYfFNV2c#WRpVuPLBcCU2z8TrsoyY1))
    wsh(pk(5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyrnSC}j299sBCnWjss))
    wsh(pkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcuCU2z8TrisoyY1))
    tr($o,pkh(L4rK1yDtCWekvXuE6oXD9jC]fFNV2cWRpVuPLBcCU2z8TrisoyY1))
    tr([zzzzzzzz]5KYZdUEo39z3FPrtuX2QbbwGnNP5uzTd7yyr2SC1j299sBCnWjss)
    sh(or_i(hash160(20195b5a3d650c17f0f29f91c33f8f6335193d07),pk($w)))
    tr($w,and_v(v:1,hash160(20195b5a3d650c17f0f29f91c33f8f6335193d07)))
    sh(03a34b99f22c790c4e36b2b3c2c45a3db0626e41c692fc82b8b56ac1c540c5bd)
    sh(tr(a34b99f22c790c4e36b2H3c2c35a36db06226e41c692fc82b8b56ac540c5bd))
    combo(a34b99f22c790c4e36b2b3c2c35a36db062n6e41c692fc82b8b56ac1c40c5bd)
    wsh(tr(a34b99f22c79:c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5d))
    sh(tr(a34b99f22c790c4e36b2b3<2c35a36db06226e41c692fc82b8b56ac1c540c5bd))
    multi(1,c3a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd#
    multi(2,62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8,$v)
    sh(pkh(03a34b799f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))
    sh(combo(63a34b99f22c790c4e30b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))
    tr([deadbee]61345b53de74a4d721ef877c255429961b7e43714171ac06168d7e08c542a8b8)
    wsh(wpkh(02da72e8b46901a65d437b4fe6315538d8f368557dda3a1dcf9ea903f3afe7314c8))
    sh(sh(pah(03a34}b99f22c790ce36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)))
    wsh(c:pk_k(028e3d1248c7657211d20291c]1798f490743f1bc852858e32d7efe2315fbc7671))
    sh(sh(pkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c6962fc82b8b56ac1c540c5bd)))
    tr($k,t:sha256(6c60f404f8167a38fc70eaf8aa17ac351023bef86bcb9d1086a19afe95bd5333))
    wsh(multi_a(1,03669b8afcec803a0d323e9a17f3ea8e68e8abe5278020a929adbec52421adbd0))
    rawtr(60b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600,multi(2,$b))
    tr(60b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600,multi(2,$3,$v))
    tr($n,multi_a(0,03a34b99f22c790c4b36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))
    tr($x,multi_a(2,02df12b7035bdac8e3bab862a3a83d06ea6b17b6753d52edecba9be46f5d09e076))
    wsh(and_b(0,s:pk(02650471ae774265e3270b513233d12d850bb98e382a3b3af90cab6339e1446056)))
    wsh(thresh(3,sha256(6c60f404f8167a38fc70eaf8aa17ac351023bef86bcb9d1086a19afe95bd5333)))
    pk([deadbeef/-0/-0/-0]0260b2003c386519fc9eadf2b5cf24dd8eea4c4e68d5e154050a9346ea98ce6n0)
    pk([deadbeef/0H/0H/0H]0260b2003c386519fc9e)df2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600)
    wsh(d:or_c(1,and_v(v:hash160(20195b5a3d650c17f0f29f91c33f8f6335193d07),v:after(100000))))
    wsh(thresh(1,uc:pk_k(03809a20c67d64900ffb698c4c825f6d5f2310fb0451c869345b7319f645605721)))
    pk([deadbeef/0h/0h/0h/*]0260b2003c386519fc9eadf2b]cf124dd8eea4c4e68d5e154050a9346ea98ce600)
    wpkh([00000000/1/2147483648/5h]df12b7035bdac8e3bab862a3a83d06ea6b17b6753d52edecba9be46f5d09e076)
    wsh(and_v(v:older(1),and_v(v:pkh(03803b203bb31f9cf94034eeb931b54480a6f3f99ebd23d0acbc2128a60d044e23),older(4194305))))
    pk(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/<3>)
    tr(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/<3;3>/1)
    tr(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/2/<1h>/1)
    wpkh(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/5'/1/<0>)
    tr(xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/44/<3;3>/*')
    tr(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/2147483648/1/*)
    wpkh(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/0/5'/<3;3>/*)
    multi(1,$g,$v,$b,xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y,$w)
    wsh(and_n(hash160(20195b5a3d650c17f0f29f91c33f8f6335193d07),pkh(03c00be8830995d1e44f1420dd3b90d3441fb66f6861c84a35f959c495a3be5440)))
    tr(07a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)
    tr(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/0/44/0h,multi(1,$q))
    wsh(pkh(07a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235))
    wpkh([fffffff]/13h]xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LcgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH/<1;3>/2/*)
    tr([00000000]07a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)
    sortedmulti(1,$v,xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi,[DEADBEEF]$w,$w)
    wsh(and_n(d:and_v(v:after(499999999),v:after(500000000)),or_b(sha256(6c60f404f8167a38fc70eaf8aa17ac351023bef86bcb9d1086a19afe95bd5333),a:older(1))))
    wsh(and_n(and_v(v:older(2147483647),older(100000)),thresh(2,pk(03b42b24954f1f70ed3db900878357ba46ee9d6a07b4f7c751dc5cba07b05b46e2),a:pk(031169517b36adaecdfc9954b772ee03b8c2000654b98625afd183073e086303bb),s:pk($l))))
    """#

  /// What it accepts: the text, as it writes it without secrets, and the addresses on the main network at 0, 1 and 2, or all.
  static let accepted = #"""
    wsh(c:pk_h($d))	wsh(pkh($b))#c2m8h006	bc1qxw8qyvrehyw9s4cmyrnq94uqt7uq3s3yw09u8ydyrvda8gvjuadsyy4cun
    wsh(and_n(c:pk_k($v),older(2147483647)))	wsh(and_n(pk($q),older(2147483647)))#63yy0ea3	bc1qhpl7fq6wr2hmggj8w97v3p3r3r5q24apza9zx3euq5a50l977c3qea6d80
    wsh(multi(3,03669b8afce2803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0,[deadbeef/00/44/44']$v,$g))	wsh(multi(3,03669b8afce2803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0,[deadbeef/0/44/44']$q,$g))#ljhuqa2n	bc1qtufzxejtn83kgefrwxnjy42a0v5zmwrnc8tdpywpfqs4gfeal06sdrsj24
    wpkh($v)	wpkh($q)#rmund46d	bc1q5j8gphwk3vdf43anhhcz3vq2rkl4u3grt6tm2n
    wpkh([DEADBEEF]$d)	wpkh([deadbeef]$b)#ey00gphe	bc1qngw83fg8dz0k749cg7k3emc7v98wy0c74dlrkd
    wsh(and_n(multi(1,$q,xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/*'),1))	wsh(and_n(multi(1,$q,xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/*'),1))#x73kxqp6	bc1qph2te56tzusytu03q4sdjr6kqll2vlkk8q0ajqe67ja3nemyltzsmcge5q bc1qwxhgt0fcd0v4ncnvgy48kr6spcnvg7ywqhhjle8s7l93gzg5myksluf975 bc1qtl87zrm58pl2ysrvtkr8e7v748m5ajyfkvxpvuzzgy73y270ztwsd4trza
    wsh(thresh(1,or_b(dv:0,a:pk(028c050fc34d83b279b6000816e18fca389767b7960e92677255b84a39d93a6807))))	wsh(thresh(1,or_b(dv:0,a:pk(028c050fc34d83b279b6000816e18fca389767b7960e92677255b84a39d93a6807))))#reryu72n	bc1q5t80vq3ycjsd0wvhry3yyq5vr7xt6hmg82fhl9gaa854l9eqjwuqmcqy09
    pkh([00000000]xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi)	pkh([00000000]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8)#y62et2ee	15mKKb2eos1hWa6tisdPwwDC1a5J1y9nma
    tr(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/0',sortedmulti_a(1,$x))	tr(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/0',sortedmulti_a(1,$x))#56kaqprs	bc1plh5t72ptfsjk6n07yssury8eh7jc5mlzfvufzmejvgrflm97e9cqj452ea
    wsh(pk(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/5/1'/*h))	wsh(pk(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/5/1'/*'))#8cds6rsv	bc1qczkyrnvlxa4ddvtp823nqnucpw22s94h2rks08zncl9ngv2vp56q0ukf4r bc1q2q746d7u3yk0wn03adwauj6tluhvt6lmjgj9yrha087t3gyywp7qj0m2h7 bc1qgxs7ygzmkrqlg3ykdfmfq4ng90vwutmu0m9gfrrygvl2dsj50u8sykzl3k
    tr([00000000/2']xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/2/*)	tr([00000000/2']xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/2/*)#ygs48v9t	bc1psst3fe7u8qwurkwraqa7acjs7qhrnk2qufam543chv8dvgd8vxksddwm5s bc1pjhxvj7atw36hz8vm6auwkr0e63ynecvetumwzuex0mu9htc0nj7qw879x3 bc1p9snnupuwnv67hm8sv20cc7at65uzs46fx224ksnmk3f3ymfhs4esnf9uws
    pkh([00000000/44]$d)	pkh([00000000/44]$b)#8ytcv6ee	1F3sAm6ZtwLAUnj7d38pGFxtP3RVEvtsbV
    pkh([deadbeef/2]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/2/44h)	pkh([deadbeef/2]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/2/44h)#xmnjz7tv	1EyKxk5TTSzAucqfdBLcJaYDf18vu9PGC3
    tr([deadbeef/2']xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc)	tr([deadbeef/2']xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL)#jnxxka7n	bc1pjea37sz49z6c8gm6px6y9h83usnuwz69w0lc7w8qgtpzjngqjdfq2qkm4x
    rawtr(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/*)	rawtr(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*)#ryt9hgjd	bc1pt40uvh4m34z22f6t2wavy8lcxpl7cge55vklq42ngk0ck8mluxmq2kc6a8 bc1pvn75686aa2x7m9xxr6tyzvynfxmz7flmll5qw2glve8zs6lmuerseqtk2m bc1pfkgzux30c7582k44k62v2a0uuapvfrvl7xfwv004rylyc7h7r7wq0t5h47
    sh(wsh(c:or_i(pk_k($x),pk_k($y))))	sh(wsh(c:or_i(pk_k($x),pk_k($y))))#9ut70cme	3J6aSHm5qamXJMcBHbRCgGxa8sG3MtuaEg
    wsh(c:pk_k([DEADBEEF/1/0h/0]$d))	wsh(pk([deadbeef/1/0h/0]$b))#lvvmdwlt	bc1q9cn3l23ryhqen5jayts74kvzu3dkfm457v088k7lgx75khlvy0aqee8937
    rawtr([deadbeef/0h/44'/2]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc)	rawtr([deadbeef/0'/44'/2]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL)#yjq99fu2	bc1p62ekjqpedjfg97s5v2zkvkp0yp49m59uer273ynprqrv47crq8cqczmzaa
    sh(sortedmulti(2,[DEADBEEF]$q,xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/5,$k))	sh(sortedmulti(2,[deadbeef]$q,xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/5,04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235))#yu3fzcwf	3F6xo1crThmDGBCmhWBtss6gnBseaMRTAq
    tr([00000000/2]$g,sortedmulti_a(1,$v))	tr([00000000/2]$g,sortedmulti_a(1,$3))#u8ulxqqa	bc1p3lw775rg4y956vzw2n4d2axy7h0r7s7aleldxeayfmlu2axscujs7cwg04
    combo([deadbeef]xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/2'/1h/0)	combo([deadbeef]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/2h/1h/0)#p4tyn4u8	14AJNyxGKKPdTctoiLk9yvu4MvyKSPCN7m bc1qy242p407rulamw8xh4svjwsqyqzxjtk9jkeh4q 3JwWUjguMhybFWVr2cm7wwGV6Cxb7d16n7
    tr($g,sortedmulti_a(1,$g,xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/*))	tr($g,sortedmulti_a(1,$g,xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/*))#mn4xhqwm	bc1pp63qzfqcj7st6q6mvyp490m89auv8rln9p7c0ekz0fupduss5f0qhlmtgt bc1pu037rzers3598qjw3an3l6qv9pf9494kgtte960mm9a024433ssqj9rgj4 bc1pq2a9p5gwtf5v4ec4sr99n8yt8mmdgrzctsd7vuqmu634jfn97mpqv258tj
    wsh(pkh([00000000/5]$d))	wsh(pkh([00000000/5]$b))#zzg7yjc0	bc1qxw8qyvrehyw9s4cmyrnq94uqt7uq3s3yw09u8ydyrvda8gvjuadsyy4cun
    sh(wpkh(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/*))	sh(wpkh(xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y/*))#lxqe9ujf	3L4w1xNZGvRJaBP44eXGSw6vRdZyQs6sid 37w5YRApofW5MHWFihjkHHgzdUfPeUG4W7 35mqvtKKBuZn9HqTBdKTibC99UdmtvehfS
    wsh(pk([DEADBEEF/1]xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/5/2h))	wsh(pk([deadbeef/1]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/5/2h))#au5mwjx2	bc1qldp96v77kjklu95gnyy43eln2r5rcz57fltu47mte8x8tzfqn0vqp4x04d
    combo([00000000/5']xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi)	combo([00000000/5']xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8)#99pknuut	15mKKb2eos1hWa6tisdPwwDC1a5J1y9nma bc1qx3ppj0smkuy3d6g525sh9n2w9k7fm7q3x30rtg 3PpgpssV7mcAGpZRWiCWhodUTnjpoSZg7a
    wsh(pk([00000000/0]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/*'))	wsh(pk([00000000/0]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*'))#8j4hj7r9	bc1qq99pfxrh9fmn6469vncle0pnaxct7cnxfryr5tglfhwh5wun6nws0z8jmk bc1qm8gnjd2fu3a3ejh34dpxrj3zkd9xpkvm7dwmff6u40qtj6fq30xssl72cq bc1qjusulwpyvgff4qk9ypk8mcvknawsmvnza2fffk3gedg2pgfeehwsv38y6f
    sh(wsh(pk(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/2/44'/2h)))	sh(wsh(pk(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/2/44h/2h)))#2hjmdsjm	3QeSrRya8Ni1NZidyjP5cVtcPozPWdeZUU
    sh(wpkh(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/5'/2'/1))	sh(wpkh(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/5'/2'/1))#st0u9xn9	3Ay4WVx9JhYW6s1w9wmkziSpZ1uLdvsKL6
    wsh(c:pk_h([deadbeef/5h/1h/44']$y))	wsh(pkh([deadbeef/5'/1'/44']$y))#easpa2zt	bc1qtr84nr7gemvl9whlwpu2yhztkcv5fgqsmae7mf42dt8elmezgwrsmu9eys
    wsh(c:pk_h(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/2h))	wsh(pkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/2h))#dp7w6azt	bc1qln27hk93afgk8e20p6a5fal9p2lh37xhfnjvk5r4rprm68knc79syn66dk
    combo([deadbeef]$k)	combo([deadbeef]04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)#guu990jq	1HZwkjkeaoZfTSaJxDw6aKkxp45agDiEzN
    sh(wpkh(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi))	sh(wpkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8))#gtlffs0z	3PpgpssV7mcAGpZRWiCWhodUTnjpoSZg7a
    sh(wsh(and_v(v:pk(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/2'/0'),1)))	sh(wsh(tv:pk(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/2'/0')))#v2fhx3mn	3KEo2QSU76fjarDDBreRceKt2t91yDoi9B
    tr($g,pk(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/2h))	tr($g,pk(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/2h))#4yq675st	bc1p7axlveycvuqgw9kdrqthsh4s97qhnlf74c0nj5enytm8qpqysc0stwe3e7
    wsh(c:or_i(pk_h(xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/*),pk_h($b)))	wsh(c:or_i(pk_h(xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB/*),pk_h($b)))#zuhuujgh	bc1q8cv6xwvr7jklq89fhwmdvrndzjspsyvakfd76zcatmp4hnct24cqf95393 bc1qvguk388nfklkpnr6s8kxjcxmg6gmpp0f7eeych0qwnhe46n54whqzvgcu3 bc1qgwkghtp4zxxdffg2j60l2unv3vyv8anekqm3ja3f6h0x26yhl3fqnyhaf9
    combo(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/5')	combo(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/5')#3tn46qn8	1MR6T3tS6CKxVgrSbGLWYLQfcWreqL9Lwf bc1qmlcscfkr0q64uft0tc4szx2mskuua8azcq9hd7 3QHDZQBhnXbVjQqNSMPeQH3mVcDxJLd5VT
    combo(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/0h/2/*')	combo(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/0h/2/*h)#s5tjxqdt	1AbSvbQnKaY2nahXj78KZDEmrgRsSJwna7 bc1qdy7w50lctp9j3zdvsxe06kqd0ntel77c6htd9g 33z6HgtVZKfEgtsngVNC5jLBx5tpHcfzvz 15Ehvz3EBGsrn8tCX687pNFJT55qDHasbL bc1q9eup8ud39x96y7grx3l8hn970f39k4dx3vh9j5 34McVGTnaAqKwjpwZjGUa9MptdMZF5DzdC 1DzdCzKQ8JBbqcuykJHTztT7JDKX4iTVwL bc1q36rhz6lv7rg8uq2a9jtuxq4qa27ksa3p6awsdp 3FFjGVNJhbZff6B3jrEN9ADRq6vGcaN5gK
    wsh(and_n(or_d(0,pkh($x)),older(010)))	wsh(and_n(or_d(0,pkh($x)),older(10)))#9rsf56ln	bc1qr6y8h0fv6elgaagw86hqn24d0ed3mspc7x7mdpvx0kcql5tqmmus8zy8x9
    tr([00000000/1h]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/1h/1h)	tr([00000000/1h]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/1h/1h)#wmtxdny6	bc1pstgflmkc9rutjhtfgdqms8pxtz34dg59ymj4qwqpagdnxy3rwr3qqwwxuw
    tr([deadbeef/0]$w,multi_a(2,$b,xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/0/*'))	tr([deadbeef/0]$w,multi_a(2,$b,xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/0/*'))#2jln0mj6	bc1pf7lessqfunale5nc7p4e4nd5au56qr4nl4kpel6zp9kl3zwt00gsvwy7sl bc1psst324efcjsk706zfl546h48vcs7x84usn8cz6h5yqkl450us8wsthr0xy bc1p43w2pu6kk7mj7wawnt29qxtt2aqc5qdxseyt6knszplqu4nyd8us7kfj8c
    wsh(or_d(or_b(0,a:pk(0238add3d6209080c8efb655513d9420aa457f06acd3ec84e8db84e208a0664ba9)),0))	wsh(or_d(or_b(0,a:pk(0238add3d6209080c8efb655513d9420aa457f06acd3ec84e8db84e208a0664ba9)),0))#k8w8gkrg	bc1qfu3204rm6yeyyzvyrdfhjdcms22nrzd589jfdxd3jja7xax4sqlq750d5s
    pkh($g)	pkh($g)#7ujhz4py	1AKcnS2ip6TBkacnz9okU6H4d43KiCSqBv
    wsh(c:pk_h(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/5/*))	wsh(pkh(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/5/*))#epf0senr	bc1q4xgpmmyk07jwfrnymxm94ajjz786f04el0wkjdjs4cwtj3gp4z8q74l28e bc1q2xqllzsgavx282d00ktx2k6pu5qvu8jsf04vv6vu5zkpe3qplawqyzp39g bc1qjqyw2cqh2vjfmwgle89rfqh7q5xjf9netrvwq974pc9xhy6lu8xs8ncsz7
    wsh(multi(1,xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/*',$g))	wsh(multi(1,xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*',$g))#l8269ffh	bc1qprcraeq67c9dzzyhn09mtjwwyqjn46ntnqhlem6y6akcmwp0dwcs7jxqus bc1qglqjznqfhk8hu7dwe822f6p49gfq7x32e2q5kw92zvsp22p824jsuw0tdw bc1qqzjr2grqp4xk4rnthvraqn3mn60sa7vrsh3mxu9syy899nyhsgxq6dx5dp
    sh(wsh(pkh([deadbeef]$y)))	sh(wsh(pkh([deadbeef]$y)))#u0h4tqgz	3KfuszsdyzYAfLeM8QJ7MPcrJzvskqXdHA
    pkh([00000000/0'/2h/2h]$k)	pkh([00000000/0h/2h/2h]04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235)#px2w4k3y	1HZwkjkeaoZfTSaJxDw6aKkxp45agDiEzN
    sh(pk([deadbeef/2/2h/1]$g))	sh(pk([deadbeef/2/2h/1]$g))#7qjuv0ph	34tEQbtSYvznmPTM4fBWYXDdv2qxbKVaKq
    wpkh([00000000/0']$v)	wpkh([00000000/0']$q)#20v9ndtl	bc1q5j8gphwk3vdf43anhhcz3vq2rkl4u3grt6tm2n
    wpkh(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc)	wpkh(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL)#ntjpv4mz	bc1qxxjs0wq4ty7lc50lcuj94el94m3sgfrwfvky9p
    wsh(and_b(c:pk_k([DEADBEEF/1]$w),s:hash160(20195b5a3d650c17f0f29f91c33f8f6335193d07)))	wsh(and_b(pk([deadbeef/1]$w),s:hash160(20195b5a3d650c17f0f29f91c33f8f6335193d07)))#xmyumpwt	bc1qztc63wdqazuh5zuxdrqsltrfpg8aqt2js0egjj6z9us8sa2fmk2qgrfe2t
    wsh(and_n(c:pk_k(02ed3bace23c5e17652e174c835fb72bf53ee306b3406a26890221b4cef7500f88),or_i(0,older(144))))	wsh(and_n(pk(02ed3bace23c5e17652e174c835fb72bf53ee306b3406a26890221b4cef7500f88),l:older(144)))#zryc95l3	bc1qr2dka22s3sm9gsxjlfmdjh4muq7e37ehxkgnck6p2yk34ruvxuwss2a0np
    combo([DEADBEEF]xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/44/0/5'/*)	combo([deadbeef]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/44/0/5'/*)#uncj496p	1KceqQ944nxvS4LZc1baZjjawwCX7ngTjj bc1qescx03ahzae5kws39czzwjd8cfyzhuaehat9ax 3FJyWxG41HW5onwmUQ2UoAdB7NsNJwSBse 1GXaSPEXLo8YkZ5CuyK4fEbEvfPNoJWGUa bc1q4ffywfa583559rpwws6672hcgnmwcr8uxxflcq 3D9TTp8U7D3ATLQodVd69aPTvc6ksCaEas 16x9qwwTnXEG5U3V1nNN38LqZhoKt3yJ13 bc1qg9rw8tz0z7xcju87chest5txunm4uedjl8lap8 38KuT1RodAA4vg3T5R8b1dLxYXBXGHfq4A
    wsh(andor(0,older(16),pk(02ee7adf6d247f25fb76e90cf813f888ebd67423a3a3c6fdaebafb7eaa7a33c854)))	wsh(andor(0,older(16),pk(02ee7adf6d247f25fb76e90cf813f888ebd67423a3a3c6fdaebafb7eaa7a33c854)))#2y47z5wr	bc1qzcxaums56mkf7xp3n9ctlfqq2u7q9kj0g7etkzh0270kttf8r39sz4hgfk
    wsh(pkh(xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi/1h/*'))	wsh(pkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/1h/*h))#5mp84rn9	bc1qxep8uch48zy82pgndtftff2cq79cl06qk9hqf7h67tfrafpapt6qn98mgy bc1qf2m2lj56ceh4uefp2g0nuc0sjhxnhnzrkyhuv65vx4vh6qtcxzds2wesvd bc1q8l33damrt2zn2ncc00fl2zmqkdaj8ecfyrhp72469zhv00vdcxdszpvx9w
    rawtr([deadbeef/44h]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/0h)	rawtr([deadbeef/44h]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/0h)#j5mfvmy7	bc1p2j2lu4eqjwx0w32kt7user447g4cckhpnmkc3l7s7pg0paayah8sw8qkml
    sh(pk(xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/2h/2'/*))	sh(pk(xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/2'/2'/*))#ajzhn73f	3BJhZUZomVtAt9zpbAetuMQXLsMuKyySxg 3Kaqgj6QGT7TxAbxPAjTL8V4ucEPu7k6BB 3Eu2pS8MTxCVRxJhavMiURPZnJEm93qGDR
    pkh([DEADBEEF]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/*)	pkh([deadbeef]xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*)#8ekem2hs	1J5aXjQn88z27S48NQftijrpjGvCW5B358 17FFNNBCNSrHpp71Xaf136NgN4Q9fzsRu5 14UKfRV9ZPUp6ZC9PLhqbRtxdihW9em3xt
    tr([00000000]$d)	tr([00000000]$o)#jfm2nqg6	bc1pw74tdcrxlzn5r8z6ku2vztr86fgq0m245s72mjktf4afwzsf8ugs0gs8zu
    wsh(pkh([deadbeef/1h/44/1h]xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc/*'))	wsh(pkh([deadbeef/1'/44/1']xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL/*'))#f02plhcp	bc1q9pn6cjj7h245gfh5d4ralvp9xet6ha9nf8lvmvhmx2uj2kvfg5yqvfea3p bc1qkpl8tq65jpdqhvf5x0fnj6nncj2a4fh5d7wq0g3c5v0y7wg5yxts02smu5 bc1q2q427fawzkk8pz86nn9us9p5g472ya6q9sa8amuc55yvsdrw2r6srguu6m
    """#
}
