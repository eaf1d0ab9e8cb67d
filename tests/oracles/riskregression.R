# What R says about the samples of make_samples.py, written to riskregression.csv.
#   Rscript tests/oracles/riskregression.R        (from the project's root)
# Debian packages: r-cran-riskregression 2022.11.28, r-cran-prodlim 2019.11.13, r-cran-survival 3.5-3.
suppressMessages({library(riskRegression); library(prodlim); library(survival)})
folder <- "tests/oracles"
rows <- list()
put <- function(sample, quantity, model, horizon, value, se = NA, reference = "") {
  rows[[length(rows) + 1]] <<- data.frame(sample, quantity, model, reference, horizon,
    value = sprintf("%.17g", value), se = sprintf("%.17g", se))
}
cloglog <- function(p) log(-log1p(-p))
incidence <- function(data, t, cause = 1) {
  fit <- prodlim(Hist(duration_years, event) ~ 1, data = data)
  at <- max(which(fit$time <= t))
  c(fit$cuminc[[as.character(cause)]][at], fit$se.cuminc[[as.character(cause)]][at])
}
horizons <- list(mgus2 = c(2, 5, 10, 20), ties = c(1, 3, 5), heavy = c(1, 2, 5), edges = c(0.25, 3, 6))
for (sample in names(horizons)) {
  data <- read.csv(file.path(folder, paste0(sample, ".csv")))
  models <- list(good = data$good, noisy = data$noisy, rule = data$rule)
  times <- horizons[[sample]]
  s <- Score(models, formula = Hist(duration_years, event) ~ 1, data = data, times = times,
    metrics = c("auc", "brier"), summary = "ipa", cens.model = "km", se.fit = TRUE,
    conservative = FALSE, contrasts = TRUE)
  a <- as.data.frame(s$AUC$score)
  for (i in seq_len(nrow(a))) put(sample, "auc", as.character(a$model[i]), a$times[i], a$AUC[i], a$se[i])
  b <- as.data.frame(s$Brier$score)
  for (i in seq_len(nrow(b))) {
    put(sample, "brier", as.character(b$model[i]), b$times[i], b$Brier[i], b$se[i])
    put(sample, "ipa", as.character(b$model[i]), b$times[i], b$IPA[i])
  }
  d <- as.data.frame(s$AUC$contrasts)
  for (i in seq_len(nrow(d)))
    put(sample, "delta_auc", as.character(d$model[i]), d$times[i], d$delta.AUC[i], d$se[i], as.character(d$reference[i]))
  d <- as.data.frame(s$Brier$contrasts)
  for (i in seq_len(nrow(d)))
    put(sample, "delta_brier", as.character(d$model[i]), d$times[i], d$delta.Brier[i], d$se[i], as.character(d$reference[i]))
  # Censoring Kaplan-Meier and weights.
  G <- prodlim(Hist(duration_years, event) ~ 1, data = data, reverse = TRUE)
  Gi <- c(1, G$surv)[1 + sapply(data$duration_years, function(x) sum(G$time < x))]
  for (t in times) {
    Gt <- predict(G, times = t, newdata = data.frame(x = 1), type = "surv", level.chaos = 1, mode = "matrix")[1]
    w <- ifelse(data$duration_years <= t & data$event != 0, 1 / Gi,
      ifelse(data$duration_years > t, 1 / Gt, 0))
    D <- as.numeric(data$duration_years <= t & data$event == 1)
    put(sample, "weight_sum", "", t, sum(w)); put(sample, "weight_squares", "", t, sum(w^2))
    for (cause in 1:2) {
      f <- incidence(data, t, cause); put(sample, paste0("incidence_", cause), "", t, f[1], f[2])
    }
    # Jackknife pseudo-values by prodlim, summarised by two moments.
    fit <- prodlim(Hist(duration_years, event) ~ 1, data = data)
    jack <- as.numeric(jackknife(fit, times = t, cause = 1))
    put(sample, "pseudo_squares", "", t, sum(jack^2)); put(sample, "pseudo_weighted", "", t, sum(jack * data$good))
    for (m in names(models)) {
      r <- models[[m]]
      for (p in c(0.05, 0.1, 0.3)) {
        flagged <- r >= p; share <- mean(flagged)
        F1 <- if (any(flagged)) incidence(data[flagged, ], t)[1] else 0
        put(sample, paste0("net_benefit_", p), m, t, share * F1 - share * (1 - F1) * p / (1 - p))
      }
      keep <- w > 0
      for (link in c("cloglog", "logit")) {
        eta <- if (link == "cloglog") cloglog(r) else qlogis(r)
        fam <- quasibinomial(link); ctl <- glm.control(epsilon = 1e-14, maxit = 100)
        g0 <- suppressWarnings(glm(D ~ offset(eta), weights = w, family = fam, subset = keep, control = ctl))
        g1 <- suppressWarnings(glm(D ~ eta, weights = w, family = fam, subset = keep, control = ctl))
        put(sample, paste0("intercept_", link), m, t, coef(g0)[[1]])
        put(sample, paste0("slope_", link), m, t, coef(g1)[[2]])
      }
      if (m != "rule" && sum(D) >= 10 && length(unique(r)) > 20) {
        # Natural cubic spline of the linked risk on pseudo-values: the same space as ours.
        eta <- cloglog(r); k <- quantile(eta, c(.05, .35, .65, .95))
        X <- splines::ns(eta, knots = k[2:3], Boundary.knots = k[c(1, 4)])
        fit1 <- glm(jack ~ X, family = quasi("cloglog", "constant"), mustart = r,
          control = glm.control(epsilon = 1e-14, maxit = 200))
        if (!fit1$converged) next
        smooth <- fitted(fit1)
        put(sample, "ici", m, t, mean(abs(smooth - r)))
        put(sample, "e50", m, t, median(abs(smooth - r)))
        put(sample, "e90", m, t, quantile(abs(smooth - r), .9)[[1]])
      }
    }
  }
  # Uno's C with progression only: death taken as censoring, so that R knows the estimand.
  for (t in times) for (m in names(models)) {
    y <- Surv(data$duration_years, data$event == 1)
    keep <- data$duration_years > 0
    if (sum(data$event == 1 & data$duration_years <= t & keep) > 0) {
      C <- concordance(y[keep] ~ models[[m]][keep], timewt = "n/G2", ymax = t, reverse = TRUE)
      put(sample, "uno_c", m, t, C$concordance)
    }
  }
}
write.csv(do.call(rbind, rows), file.path(folder, "riskregression.csv"), row.names = FALSE, quote = FALSE)
