import java.io.FileInputStream;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Prints what veraPDF finds: a line per file and profile (profile, checks, failed checks, file; tabs between), below it
 * a line per rule that fails, indented. Usage: VeraCheck 3a,ua1 FILE...
 */
public final class VeraCheck {
    private VeraCheck() {}

    public static void main(String[] args) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (int i = 1; i < args.length; i++) {
            for (String name : args[0].split(",")) {
                check(args[i], PDFAFlavour.byFlavourId(name));
            }
        }
    }

    private static void check(String file, PDFAFlavour flavour) throws Exception {
        try (InputStream in = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(in, flavour);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, 20, false, false, false)) {
            ValidationResult result = validator.validate(parser);
            int failed = result.getFailedChecks().values().stream().mapToInt(Integer::intValue).sum();
            System.out.println(flavour.getId() + "\t" + result.getTotalAssertions() + "\t" + failed + "\t" + file);
            Map<String, String> rules = new TreeMap<>();
            for (TestAssertion found : result.getTestAssertions()) {
                if (found.getStatus() == TestAssertion.Status.FAILED) {
                    rules.putIfAbsent(
                            found.getRuleId().getClause() + "-" + found.getRuleId().getTestNumber(),
                            found.getMessage() + " at " + found.getLocation().getContext());
                }
            }
            rules.forEach((rule, words) -> System.out.println("    " + rule + " " + words.replaceAll("\\s+", " ")));
        }
    }
}
