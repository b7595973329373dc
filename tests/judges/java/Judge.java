import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.ua.DSTU4145Params;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.DSTU7564Digest;
import org.bouncycastle.crypto.digests.GOST3411Digest;
import org.bouncycastle.crypto.engines.DSTU7624Engine;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.signers.DSTU4145Signer;
import org.bouncycastle.jcajce.provider.asymmetric.util.ECUtil;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * BouncyCastle as a judge. Each line of standard input is a task of words between spaces, octets in
 * base64; each line of standard output its answer, or "error" and what was thrown.
 *
 * <pre>
 * verify MESSAGE                   true or false: content digest and signature of a signed message
 * digest gost|kupyna DATA          the hash
 * sign SPKI D DIGEST               a signature value r, s in little-endian; D is hexadecimal
 * kalyna KEY BLOCK                 one block of 256 bits encrypted
 * </pre>
 */
public final class Judge {
    private static final String KUPYNA_256 = "1.2.804.2.1.1.1.1.2.2.1";

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        byte[] input = System.in.readAllBytes();
        StringBuilder answers = new StringBuilder();
        for (String line : new String(input, StandardCharsets.US_ASCII).split("\n")) {
            String answer;
            try {
                answer = answer(line.trim().split(" "));
            } catch (Exception exception) {
                answer = "error " + exception;
            }
            answers.append(answer).append('\n');
        }
        System.out.print(answers);
    }

    private static String answer(String[] words) throws Exception {
        switch (words[0]) {
            case "verify":
                return String.valueOf(verify(bytes(words[1])));
            case "digest":
                return text(digest(hash(words[1].equals("kupyna")), bytes(words[2])));
            case "sign":
                return text(sign(bytes(words[1]), new BigInteger(words[2], 16), bytes(words[3])));
            case "kalyna":
                DSTU7624Engine engine = new DSTU7624Engine(256);
                engine.init(true, new KeyParameter(bytes(words[1])));
                byte[] block = new byte[32];
                engine.processBlock(bytes(words[2]), 0, block, 0);
                return text(block);
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private static boolean verify(byte[] message) throws Exception {
        CMSSignedData data = new CMSSignedData(message);
        SignerInformation signer = data.getSignerInfos().getSigners().iterator().next();
        boolean kupyna = signer.getDigestAlgOID().equals(KUPYNA_256);
        byte[] content = (byte[]) data.getSignedContent().getContent();
        byte[] stated = ASN1OctetString.getInstance(
                signer.getSignedAttributes().get(CMSAttributes.messageDigest)
                        .getAttrValues().getObjectAt(0)).getOctets();
        if (!Arrays.equals(stated, digest(hash(kupyna), content))) {
            return false;
        }
        X509CertificateHolder certificate =
                (X509CertificateHolder) data.getCertificates().getMatches(null).iterator().next();
        byte[] attributes = digest(hash(kupyna), signer.getEncodedSignedAttributes());
        byte[] value = signer.getSignature();
        DSTU4145Signer verifier = new DSTU4145Signer();
        verifier.init(false, publicKey(certificate.getSubjectPublicKeyInfo().getEncoded()));
        int half = value.length / 2;
        return verifier.verifySignature(
                attributes,
                number(Arrays.copyOfRange(value, 0, half)),
                number(Arrays.copyOfRange(value, half, value.length)));
    }

    private static byte[] sign(byte[] spki, BigInteger d, byte[] digest) throws Exception {
        ECPublicKeyParameters key = publicKey(spki);
        DSTU4145Signer signer = new DSTU4145Signer();
        signer.init(true, new ParametersWithRandom(
                new ECPrivateKeyParameters(d, key.getParameters()), new SecureRandom()));
        BigInteger[] signature = signer.generateSignature(digest);
        int size = (key.getParameters().getN().bitLength() + 7) / 8;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (BigInteger half : signature) {
            byte[] octets = new byte[size];
            for (int i = 0; i < size; i++) {
                octets[i] = half.shiftRight(8 * i).byteValue();
            }
            out.write(octets);
        }
        return out.toByteArray();
    }

    private static ECPublicKeyParameters publicKey(byte[] spki) throws Exception {
        return (ECPublicKeyParameters) ECUtil.generatePublicKeyParameter(
                KeyFactory.getInstance("DSTU4145", "BC")
                        .generatePublic(new X509EncodedKeySpec(spki)));
    }

    private static Digest hash(boolean kupyna) {
        return kupyna ? new DSTU7564Digest(256) : new GOST3411Digest(sbox());
    }

    /** The default S-box with one entry an octet, as the digest wants it. */
    private static byte[] sbox() {
        byte[] packed = DSTU4145Params.getDefaultDKE();
        byte[] entries = new byte[128];
        for (int i = 0; i < packed.length; i++) {
            entries[2 * i] = (byte) (packed[i] >> 4 & 15);
            entries[2 * i + 1] = (byte) (packed[i] & 15);
        }
        return entries;
    }

    private static byte[] digest(Digest digest, byte[] data) {
        byte[] out = new byte[digest.getDigestSize()];
        digest.update(data, 0, data.length);
        digest.doFinal(out, 0);
        return out;
    }

    private static BigInteger number(byte[] littleEndian) {
        byte[] reversed = new byte[littleEndian.length];
        for (int i = 0; i < reversed.length; i++) {
            reversed[i] = littleEndian[littleEndian.length - 1 - i];
        }
        return new BigInteger(1, reversed);
    }

    private static byte[] bytes(String text) {
        return Base64.getDecoder().decode(text);
    }

    private static String text(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
