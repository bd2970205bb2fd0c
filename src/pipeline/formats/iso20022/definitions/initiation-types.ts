/** Payment initiation: pain.001 and pain.008. The notation is that of `notation.ts`. */
export const initiationTypes = `
Authorisation1Code = AUTH FDET FSUM ILEV
Authorisation1 | Cd:Authorisation1Code Prtry:x128
Priority2 = HIGH NORM
ChargeBearer1 = DEBT CRED SHAR SLEV
PaymentMethod3 = CHK TRF TRA
PaymentType19 > InstrPrty?:Priority2 SvcLvl?:cd4 LclInstrm?:cd35 CtgyPurp?:cd4
PaymentType26 < PaymentType19 SvcLvl*:cd4
SequenceType1 = FRST RCUR FNAL OOFF
SequenceType3 = FRST RCUR FNAL OOFF RPRE
PaymentType20 < PaymentType19 LclInstrm>SeqTp?:SequenceType1
PaymentType24 < PaymentType19 LclInstrm>SeqTp?:SequenceType3
PaymentType29 < PaymentType24 SvcLvl*:cd4
PaymentId1 > InstrId?:x35 EndToEndId:x35
PaymentId6 < PaymentId1 EndToEndId>UETR?:uuid
Equivalent2 > Amt:amount CcyOfTrf:currency
AmountType3 | InstdAmt:amount EqvtAmt:Equivalent2
RateKind1 = SPOT SALE AGRD
RateInformation1 > XchgRate?:baseRate RateTp?:RateKind1 CtrctId?:x35
ExchangeRate1 > UnitCcy?:currency XchgRate?:baseRate RateTp?:RateKind1 CtrctId?:x35
ChequeType2 = CCHQ CCCH BCHQ DRFT ELDR
ChequeDelivery1Code = MLDB MLCD MLFA CRDB CRCD CRFA PUDB PUCD PUFA RGDB RGCD RGFA
ChequeDelivery1 | Cd:ChequeDelivery1Code Prtry:x35
Cheque6 > ChqTp?:ChequeType2 ChqNb?:x35 ChqFr?:NameAndAddress10 DlvryMtd?:ChequeDelivery1 DlvrTo?:NameAndAddress10 InstrPrty?:Priority2
  ChqMtrtyDt?:date FrmsCd?:x35 MemoFld{0,2}:x35 RgnlClrZone?:x35 PrtLctn?:x35
Cheque7 < Cheque6 PrtLctn>Sgntr{0,5}:x70
Cheque11 < Cheque7 ChqFr:NameAndAddress16 DlvrTo:NameAndAddress16
Instruction3 = CHQB HOLD PHOB TELB
CreditorInstruction1 > Cd?:Instruction3 InstrInf?:x140
RegulatoryKind1 = CRED DEBT BOTH
RegulatoryAuthority2 > Nm?:x140 Ctry?:country
RegulatoryDetails3 > Tp?:x35 Dt?:date Ctry?:country Cd?:x10 Amt?:amount Inf*:x35
Regulatory3 > DbtCdtRptgInd?:RegulatoryKind1 Authrty?:RegulatoryAuthority2 Dtls*:RegulatoryDetails3

Header32 > MsgId:x35 CreDtTm:dateTime Authstn{0,2}:Authorisation1 NbOfTxs:n15 CtrlSum?:decimal InitgPty:PartyId32 FwdgAgt?:Agent4
Header48 < Header32 InitgPty:PartyId43 FwdgAgt:Agent5
InitiationSource1 > Nm:x140 Prvdr?:x35 Vrsn?:x35
Header85 < Header32 InitgPty:PartyId135 FwdgAgt:Agent6
Header95 < Header85 FwdgAgt>InitnSrc?:InitiationSource1
Transfer10 > PmtId:PaymentId1 PmtTpInf?:PaymentType19 Amt:AmountType3 XchgRateInf?:RateInformation1 ChrgBr?:ChargeBearer1
  ChqInstr?:Cheque6 UltmtDbtr?:PartyId32 IntrmyAgt1?:Agent4 IntrmyAgt1Acct?:Account16 IntrmyAgt2?:Agent4 IntrmyAgt2Acct?:Account16
  IntrmyAgt3?:Agent4 IntrmyAgt3Acct?:Account16 CdtrAgt?:Agent4 CdtrAgtAcct?:Account16 Cdtr?:PartyId32 CdtrAcct?:Account16
  UltmtCdtr?:PartyId32 InstrForCdtrAgt*:CreditorInstruction1 InstrForDbtrAgt?:x140 Purp?:cd4 RgltryRptg{0,10}:Regulatory3 Tax?:Tax3
  RltdRmtInf{0,10}:Location2 RmtInf?:Remittance5
Transfer34 > PmtId:PaymentId6 PmtTpInf?:PaymentType26 Amt:AmountType3 XchgRateInf?:ExchangeRate1 ChrgBr?:ChargeBearer1 ChqInstr?:Cheque11
  UltmtDbtr?:PartyId135 IntrmyAgt1?:Agent6 IntrmyAgt1Acct?:Account38 IntrmyAgt2?:Agent6 IntrmyAgt2Acct?:Account38 IntrmyAgt3?:Agent6
  IntrmyAgt3Acct?:Account38 CdtrAgt?:Agent6 CdtrAgtAcct?:Account38 Cdtr?:PartyId135 CdtrAcct?:Account38 UltmtCdtr?:PartyId135
  InstrForCdtrAgt*:CreditorInstruction1 InstrForDbtrAgt?:x140 Purp?:cd4 RgltryRptg{0,10}:Regulatory3 Tax?:Tax8 RltdRmtInf{0,10}:Location7
  RmtInf?:Remittance16 SplmtryData*:SupplementaryData
Payment3 > PmtInfId:x35 PmtMtd:PaymentMethod3 BtchBookg?:boolean NbOfTxs?:n15 CtrlSum?:decimal PmtTpInf?:PaymentType19 ReqdExctnDt:date
  PoolgAdjstmntDt?:date Dbtr:PartyId32 DbtrAcct:Account16 DbtrAgt:Agent4 DbtrAgtAcct?:Account16 UltmtDbtr?:PartyId32 ChrgBr?:ChargeBearer1
  ChrgsAcct?:Account16 ChrgsAcctAgt?:Agent4 CdtTrfTxInf+:Transfer10
Payment30 < Payment3 PmtTpInf:PaymentType26 ReqdExctnDt:DateOrTime Dbtr:PartyId135 DbtrAcct:Account38 DbtrAgt:Agent6 DbtrAgtAcct:Account38
  DbtrAgtAcct>InstrForDbtrAgt?:x140 UltmtDbtr:PartyId135 ChrgsAcct:Account38 ChrgsAcctAgt:Agent6 CdtTrfTxInf:Transfer34
CreditTransferInitiation3 > GrpHdr:Header32 PmtInf+:Payment3
CreditTransferInitiation9 > GrpHdr:Header85 PmtInf+:Payment30 SplmtryData*:SupplementaryData

PaymentMethod2 = DD
Frequency1 = YEAR MNTH QURT MIAN WEEK DAIL ADHO INDA
Amendment6 > OrgnlMndtId?:x35 OrgnlCdtrSchmeId?:PartyId32 OrgnlCdtrAgt?:Agent4 OrgnlCdtrAgtAcct?:Account16 OrgnlDbtr?:PartyId32
  OrgnlDbtrAcct?:Account16 OrgnlDbtrAgt?:Agent4 OrgnlDbtrAgtAcct?:Account16 OrgnlFnlColltnDt?:date OrgnlFrqcy?:Frequency1
Mandate6 > MndtId?:x35 DtOfSgntr?:date AmdmntInd?:boolean AmdmntInfDtls?:Amendment6 ElctrncSgntr?:x1025 FrstColltnDt?:date
  FnlColltnDt?:date Frqcy?:Frequency1
DirectDebit6 > MndtRltdInf?:Mandate6 CdtrSchmeId?:PartyId32 PreNtfctnId?:x35 PreNtfctnDt?:date
Collection9 > PmtId:PaymentId1 PmtTpInf?:PaymentType20 InstdAmt:amount ChrgBr?:ChargeBearer1 DrctDbtTx?:DirectDebit6 UltmtCdtr?:PartyId32
  DbtrAgt:Agent4 DbtrAgtAcct?:Account16 Dbtr:PartyId32 DbtrAcct:Account16 UltmtDbtr?:PartyId32 InstrForCdtrAgt?:x140 Purp?:cd4
  RgltryRptg{0,10}:Regulatory3 Tax?:Tax3 RltdRmtInf{0,10}:Location2 RmtInf?:Remittance5
Payment4 > PmtInfId:x35 PmtMtd:PaymentMethod2 BtchBookg?:boolean NbOfTxs?:n15 CtrlSum?:decimal PmtTpInf?:PaymentType20 ReqdColltnDt:date
  Cdtr:PartyId32 CdtrAcct:Account16 CdtrAgt:Agent4 CdtrAgtAcct?:Account16 UltmtCdtr?:PartyId32 ChrgBr?:ChargeBearer1 ChrgsAcct?:Account16
  ChrgsAcctAgt?:Agent4 CdtrSchmeId?:PartyId32 DrctDbtTxInf+:Collection9
DirectDebitInitiation2 > GrpHdr:Header32 PmtInf+:Payment4

FrequencyPeriod1 > Tp:Frequency6 CntPerPrd:decimal
FrequencyMoment1 > Tp:Frequency6 PtInTm:N2
Frequency6 = YEAR MNTH QURT MIAN WEEK DAIL ADHO INDA FRTN
MandateReason1 | Cd:x4 Prtry:x70
Frequency36 | Tp:Frequency6 Prd:FrequencyPeriod1 PtInTm:FrequencyMoment1
Amendment13 < Amendment6 OrgnlCdtrSchmeId:PartyId135 OrgnlCdtrAgt:Agent6 OrgnlCdtrAgtAcct:Account38 OrgnlDbtr:PartyId135
  OrgnlDbtrAcct:Account38 OrgnlDbtrAgt:Agent6 OrgnlDbtrAgtAcct:Account38 OrgnlFrqcy:Frequency36 OrgnlFrqcy>OrgnlRsn?:MandateReason1
  OrgnlRsn>OrgnlTrckgDays?:N2
Mandate14 < Mandate6 AmdmntInfDtls:Amendment13 Frqcy:Frequency36 Frqcy>Rsn?:MandateReason1 Rsn>TrckgDays?:N2
DirectDebit10 < DirectDebit6 MndtRltdInf:Mandate14 CdtrSchmeId:PartyId135
Collection23 < Collection9 PmtId:PaymentId6 PmtTpInf:PaymentType29 DrctDbtTx:DirectDebit10 UltmtCdtr:PartyId135 DbtrAgt:Agent6
  DbtrAgtAcct:Account38 Dbtr:PartyId135 DbtrAcct:Account38 UltmtDbtr:PartyId135 Tax:Tax8 RltdRmtInf:Location7 RmtInf:Remittance16
  RmtInf>SplmtryData*:SupplementaryData
Payment29 < Payment4 PmtTpInf:PaymentType29 Cdtr:PartyId135 CdtrAcct:Account38 CdtrAgt:Agent6 CdtrAgtAcct:Account38 UltmtCdtr:PartyId135
  ChrgsAcct:Account38 ChrgsAcctAgt:Agent6 CdtrSchmeId:PartyId135 DrctDbtTxInf:Collection23
DirectDebitInitiation8 > GrpHdr:Header85 PmtInf+:Payment29 SplmtryData*:SupplementaryData

CreditorInstruction2 > Cd?:Instruction5 InstrInf?:x140
Instruction5 = PHOB TELB

Transfer20 < Transfer10 XchgRateInf:ExchangeRate1 ChqInstr:Cheque7 UltmtDbtr:PartyId43 IntrmyAgt1:Agent5 IntrmyAgt2:Agent5
  IntrmyAgt3:Agent5 CdtrAgt:Agent5 Cdtr:PartyId43 UltmtCdtr:PartyId43 RmtInf:Remittance7 IntrmyAgt1Acct:Account24 IntrmyAgt2Acct:Account24
  IntrmyAgt3Acct:Account24 CdtrAgtAcct:Account24 CdtrAcct:Account24
Payment9 < Payment3 DbtrAgtAcct>InstrForDbtrAgt?:x140 Dbtr:PartyId43 DbtrAcct:Account24 DbtrAgt:Agent5 DbtrAgtAcct:Account24
  UltmtDbtr:PartyId43 ChrgsAcct:Account24 ChrgsAcctAgt:Agent5 CdtTrfTxInf:Transfer20
CreditTransferInitiation4 > GrpHdr:Header48 PmtInf+:Payment9 SplmtryData*:SupplementaryData
Transfer6 < Transfer20 RmtInf>SplmtryData*:SupplementaryData
Payment7 < Payment9 CdtTrfTxInf:Transfer6
CreditTransferInitiation5 < CreditTransferInitiation4 PmtInf:Payment7
Transfer21 < Transfer20 RltdRmtInf:Location4 RmtInf:Remittance10 RmtInf>SplmtryData*:SupplementaryData
Payment16 < Payment9 CdtTrfTxInf:Transfer21
CreditTransferInitiation6 < CreditTransferInitiation4 PmtInf:Payment16
Transfer22 < Transfer21 RmtInf:Remittance11
Payment20 < Payment16 CdtTrfTxInf:Transfer22
CreditTransferInitiation7 < CreditTransferInitiation6 PmtInf:Payment20
Payment22 < Payment20 ReqdExctnDt:DateOrTime
CreditTransferInitiation8 < CreditTransferInitiation7 PmtInf:Payment22
Transfer40 < Transfer34 ChrgBr>MndtRltdInf?:CreditMandate1 InstrForCdtrAgt:CreditorInstruction3 InstrForDbtrAgt:DebtorInstruction1
Payment34 < Payment30 PmtMtd>ReqdAdvcTp?:Advice1 CdtTrfTxInf:Transfer40
CreditTransferInitiation10 < CreditTransferInitiation9 GrpHdr:Header95 PmtInf:Payment34

Amendment8 < Amendment6 OrgnlFrqcy:Frequency6 OrgnlCdtrSchmeId:PartyId43 OrgnlCdtrAgt:Agent5 OrgnlCdtrAgtAcct:Account24
  OrgnlDbtr:PartyId43 OrgnlDbtrAcct:Account24 OrgnlDbtrAgt:Agent5 OrgnlDbtrAgtAcct:Account24
Mandate8 < Mandate6 Frqcy:Frequency6 AmdmntInfDtls:Amendment8
DirectDebit7 < DirectDebit6 MndtRltdInf:Mandate8 CdtrSchmeId:PartyId43
Collection12 < Collection9 PmtTpInf:PaymentType24 DrctDbtTx:DirectDebit7 UltmtCdtr:PartyId43 DbtrAgt:Agent5 DbtrAgtAcct:Account24
  Dbtr:PartyId43 DbtrAcct:Account24 UltmtDbtr:PartyId43 RmtInf:Remittance7
Payment10 < Payment4 PmtTpInf:PaymentType24 Cdtr:PartyId43 CdtrAcct:Account24 CdtrAgt:Agent5 CdtrAgtAcct:Account24 UltmtCdtr:PartyId43
  ChrgsAcct:Account24 ChrgsAcctAgt:Agent5 CdtrSchmeId:PartyId43 DrctDbtTxInf:Collection12
DirectDebitInitiation3 > GrpHdr:Header48 PmtInf+:Payment10 SplmtryData*:SupplementaryData
AdviceCode1 = ADWD ADND
AdviceChoice1 | Cd:AdviceCode1 Prtry:x35
Advice1 > CdtAdvc?:AdviceChoice1 DbtAdvc?:AdviceChoice1
CreditorInstruction3 > Cd?:x4 InstrInf?:x140
DebtorInstruction1 > Cd?:x4 InstrInf?:x140
MandateCode1 = FIXE USGB VARI
MandateClass1 | Cd:MandateCode1 Prtry:x35
MandateType2 > SvcLvl?:cd4 LclInstrm?:cd35 CtgyPurp?:cd4 Clssfctn?:MandateClass1
CreditMandate1 > MndtId?:x35 Tp?:MandateType2 DtOfSgntr?:date DtOfVrfctn?:dateTime ElctrncSgntr?:binary10k FrstPmtDt?:date FnlPmtDt?:date
  Frqcy?:Frequency36 Rsn?:MandateReason1
Payment37 < Payment29 PmtMtd>ReqdAdvcTp?:Advice1
DirectDebitInitiation9 < DirectDebitInitiation8 PmtInf:Payment37
Amendment14 < Amendment13 OrgnlCdtrAgtAcct:Account40 OrgnlDbtrAcct:Account40 OrgnlDbtrAgtAcct:Account40
Mandate15 < Mandate14 AmdmntInfDtls:Amendment14
DirectDebit11 < DirectDebit10 MndtRltdInf:Mandate15
Collection28 < Collection23 DrctDbtTx:DirectDebit11 DbtrAgtAcct:Account40 DbtrAcct:Account40 Tax:Tax10 RmtInf:Remittance21
Payment39 < Payment37 CdtrAcct:Account40 CdtrAgtAcct:Account40 ChrgsAcct:Account40 DrctDbtTxInf:Collection28
DirectDebitInitiation10 < DirectDebitInitiation8 PmtInf:Payment39
Header118 < Header85 InitgPty:PartyId272 FwdgAgt:Agent8
Amendment15 < Amendment14 OrgnlCdtrSchmeId:PartyId272 OrgnlCdtrAgt:Agent8 OrgnlDbtr:PartyId272 OrgnlDbtrAgt:Agent8
Mandate16 < Mandate15 AmdmntInfDtls:Amendment15
DirectDebit12 < DirectDebit11 MndtRltdInf:Mandate16 CdtrSchmeId:PartyId272
Collection30 < Collection28 DrctDbtTx:DirectDebit12 UltmtCdtr:PartyId272 DbtrAgt:Agent8 Dbtr:PartyId272 UltmtDbtr:PartyId272 Tax:TaxData1
  RltdRmtInf:Location8 RmtInf:Remittance22
Payment45 < Payment39 Cdtr:PartyId272 CdtrAgt:Agent8 UltmtCdtr:PartyId272 ChrgsAcctAgt:Agent8 CdtrSchmeId:PartyId272
  DrctDbtTxInf:Collection30
DirectDebitInitiation11 < DirectDebitInitiation8 GrpHdr:Header118 PmtInf:Payment45
Transfer54 < Transfer40 IntrmyAgt1Acct:Account40 IntrmyAgt2Acct:Account40 IntrmyAgt3Acct:Account40 CdtrAgtAcct:Account40
  CdtrAcct:Account40 Tax:Tax10 RmtInf:Remittance21
Payment40 < Payment34 DbtrAcct:Account40 DbtrAgtAcct:Account40 ChrgsAcct:Account40 CdtTrfTxInf:Transfer54
CreditTransferInitiation11 < CreditTransferInitiation10 PmtInf:Payment40
Header114 < Header95 InitgPty:PartyId272 FwdgAgt:Agent8
Cheque19 < Cheque11 ChqFr:NameAndAddress18 DlvrTo:NameAndAddress18
Transfer61 < Transfer54 ChqInstr:Cheque19 UltmtDbtr:PartyId272 IntrmyAgt1:Agent8 IntrmyAgt2:Agent8 IntrmyAgt3:Agent8 CdtrAgt:Agent8
  Cdtr:PartyId272 UltmtCdtr:PartyId272 Tax:TaxData1 RltdRmtInf:Location8 RmtInf:Remittance22
Payment44 < Payment40 Dbtr:PartyId272 DbtrAgt:Agent8 UltmtDbtr:PartyId272 ChrgsAcctAgt:Agent8 CdtTrfTxInf:Transfer61
CreditTransferInitiation12 < CreditTransferInitiation11 GrpHdr:Header114 PmtInf:Payment44
`;
